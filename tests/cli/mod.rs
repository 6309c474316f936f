//! Filled by the tests of this subject.
