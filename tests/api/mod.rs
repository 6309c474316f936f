//! The conventions of the interface.

mod smoke;
