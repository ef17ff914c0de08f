//! What formats that any agent may write have in common: whose tools do what is told by their names and arguments.

pub(crate) mod tools;
