//! Reading JSON of unknown origin: line by line without holding more than one, and fields of any type.

pub(crate) mod lenient;
pub(crate) mod lines;
