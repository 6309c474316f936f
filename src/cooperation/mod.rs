//! What cities do together: partnerships, the initiatives they pursue, the activities in which they meet, the agreements
//! they make.

pub mod activities;
pub mod agreements;
pub mod initiatives;
pub mod partnerships;
pub mod stages;
