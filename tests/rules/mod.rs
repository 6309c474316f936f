//! The rules of the domain.

mod permissions;
