//! One module for each format of lockfiles.

pub(crate) mod cargo;
pub(crate) mod composer;
pub(crate) mod gemfile;
pub(crate) mod go;
pub(crate) mod gradle;
pub(crate) mod npm;
pub(crate) mod nuget;
pub(crate) mod pipfile;
pub(crate) mod pnpm;
pub(crate) mod poetry;
pub(crate) mod requirements;
pub(crate) mod uv;
pub(crate) mod yarn;
pub(crate) mod yarn_berry;

#[cfg(test)]
pub(crate) mod tests;
