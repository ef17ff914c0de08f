//! Which files are lockfiles, by their names.

use touchmark_statement::repo_path::RepoPath;

use crate::error::LockfileError;
use crate::format::{
    cargo, composer, gemfile, go, gradle, npm, nuget, pipfile, pnpm, poetry, requirements, uv, yarn,
};
use crate::inventory::Neighbours;
use crate::reading::Resolution;

/// A kind of lockfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `Cargo.lock`, versions 1 to 4.
    Cargo,
    /// `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
    Npm,
    /// `pnpm-lock.yaml`, versions 5, 6 and 9.
    Pnpm,
    /// `yarn.lock`, version 1 and those of Yarn 2 and later.
    Yarn,
    /// `uv.lock`.
    Uv,
    /// `poetry.lock`.
    Poetry,
    /// `Pipfile.lock`.
    Pipfile,
    /// `requirements.txt` and its relatives.
    Requirements,
    /// `go.mod`; `go.sum` beside it is read for hashes.
    Go,
    /// `Gemfile.lock` and `gems.locked`.
    Gemfile,
    /// `packages.lock.json`.
    NuGet,
    /// `gradle.lockfile` and its relatives.
    Gradle,
    /// `composer.lock`.
    Composer,
    /// A lockfile of a package manager whose format is not read.
    Unsupported,
}

/// Lockfiles that are known by name only.
const UNSUPPORTED: [&str; 14] = [
    "Cartfile.resolved",
    "Package.resolved",
    "Podfile.lock",
    "bun.lock",
    "bun.lockb",
    "conan.lock",
    "conda-lock.yml",
    "deno.lock",
    "flake.lock",
    "mix.lock",
    "pdm.lock",
    "pixi.lock",
    "pubspec.lock",
    "pylock.toml",
];

/// Returns whether a folder of this name holds copies of other people's packages, whose lockfiles decide nothing.
pub fn is_left_out(folder: &[u8]) -> bool {
    matches!(folder, b"node_modules" | b"vendor")
}

impl Kind {
    /// Returns the kind of a file by its path, if it is a lockfile outside the folders that are left out.
    pub fn of(path: &[u8]) -> Option<Self> {
        let mut components = path.rsplit(|byte| *byte == b'/');
        let name = std::str::from_utf8(components.next()?).ok()?;
        let kind = Self::of_name(name, components.clone())?;
        (!components.any(is_left_out)).then_some(kind)
    }

    /// Returns the kind of a file by its name and the name of its folder, which is empty for the root.
    pub fn in_folder(folder: &[u8], name: &[u8]) -> Option<Self> {
        Self::of_name(std::str::from_utf8(name).ok()?, std::iter::once(folder))
    }

    fn of_name<'a>(name: &str, mut folders: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        match name {
            "Cargo.lock" => Some(Self::Cargo),
            "package-lock.json" | "npm-shrinkwrap.json" => Some(Self::Npm),
            "pnpm-lock.yaml" => Some(Self::Pnpm),
            "yarn.lock" => Some(Self::Yarn),
            "uv.lock" => Some(Self::Uv),
            "poetry.lock" => Some(Self::Poetry),
            "Pipfile.lock" => Some(Self::Pipfile),
            "go.mod" => Some(Self::Go),
            "Gemfile.lock" | "gems.locked" => Some(Self::Gemfile),
            "gradle.lockfile" | "buildscript-gradle.lockfile" | "settings-gradle.lockfile" => {
                Some(Self::Gradle)
            }
            "composer.lock" => Some(Self::Composer),
            name if name == "packages.lock.json"
                || name.starts_with("packages.") && name.ends_with(".lock.json") =>
            {
                Some(Self::NuGet)
            }
            name if name.ends_with(".txt")
                && (name.starts_with("requirements")
                    || name.ends_with("requirements.txt")
                    || folders.next() == Some(b"requirements")) =>
            {
                Some(Self::Requirements)
            }
            // Gradle before 6.8: one file for each configuration.
            name if name.ends_with(".lockfile") && folders.next() == Some(b"dependency-locks") => {
                Some(Self::Gradle)
            }
            name if UNSUPPORTED.contains(&name) || name.starts_with("pylock.") && name.ends_with(".toml") => {
                Some(Self::Unsupported)
            }
            _ => None,
        }
    }

    /// Returns the name of this kind in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Pipfile => "pipfile",
            Self::Requirements => "requirements",
            Self::Go => "go",
            Self::Gemfile => "gemfile",
            Self::NuGet => "nuget",
            Self::Gradle => "gradle",
            Self::Composer => "composer",
            Self::Unsupported => "unsupported",
        }
    }

    /// Reads a lockfile.
    pub(crate) fn read(
        self,
        path: &RepoPath,
        bytes: &[u8],
        neighbours: &mut Neighbours<'_>,
    ) -> Result<Resolution, LockfileError> {
        match self {
            Self::Cargo => cargo::read(bytes),
            Self::Npm => npm::read(bytes),
            Self::Pnpm => pnpm::read(bytes),
            Self::Yarn => yarn::read(bytes),
            Self::Uv => uv::read(bytes),
            Self::Poetry => poetry::read(bytes),
            Self::Pipfile => pipfile::read(bytes),
            Self::Requirements => requirements::read(path, bytes, neighbours),
            Self::Go => go::read(path, bytes, neighbours),
            Self::Gemfile => gemfile::read(bytes),
            Self::NuGet => nuget::read(bytes),
            Self::Gradle => gradle::read(bytes),
            Self::Composer => composer::read(bytes),
            Self::Unsupported => Err(LockfileError::Unsupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lockfiles_are_known_by_name_and_place() {
        for (path, expected) in [
            ("Cargo.lock", Some(Kind::Cargo)),
            ("a/b/npm-shrinkwrap.json", Some(Kind::Npm)),
            ("node_modules/a/package-lock.json", None),
            ("a/vendor/b/go.mod", None),
            ("vendors/go.mod", Some(Kind::Go)),
            ("requirements-dev.txt", Some(Kind::Requirements)),
            ("dev-requirements.txt", Some(Kind::Requirements)),
            ("requirements/base.txt", Some(Kind::Requirements)),
            ("notes/base.txt", None),
            (
                "gradle/dependency-locks/compileClasspath.lockfile",
                Some(Kind::Gradle),
            ),
            ("compileClasspath.lockfile", None),
            ("src/packages.Web.lock.json", Some(Kind::NuGet)),
            ("bun.lockb", Some(Kind::Unsupported)),
            ("pylock.dev.toml", Some(Kind::Unsupported)),
            ("go.sum", None),
            ("cargo.lock", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(path.as_bytes()), expected, "{path}");
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let folder = folder.rsplit('/').next().unwrap_or_default();
            let by_folder = Kind::in_folder(folder.as_bytes(), name.as_bytes());
            assert!(expected.is_none() || by_folder == expected, "{path}");
        }
        assert_eq!(Kind::of(b"\xff/Cargo.lock"), Some(Kind::Cargo));
    }
}
