//! What partner systems load and follow.

mod changes;
mod follower;
mod killed;
