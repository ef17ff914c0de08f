//! Built-in path classes: groups of paths that a rule can name.
//!
//! A policy may add patterns to a built-in class and add classes of its own; it can never take patterns away.

/// The class that protects the policy itself.
pub const POLICY_CLASS: &str = "policy";

/// A class and its patterns.
pub type BuiltIn = (&'static str, &'static [&'static str]);

/// Returns every built-in class.
pub fn built_in() -> &'static [BuiltIn] {
    BUILT_IN
}

const BUILT_IN: &[BuiltIn] = &[
    (POLICY_CLASS, &[".touchmark/**"]),
    ("dependency", DEPENDENCY),
    ("ci", CI),
    ("infrastructure", INFRASTRUCTURE),
    ("secrets", SECRETS),
    ("identity", IDENTITY),
    ("migration", MIGRATION),
    ("agent-config", AGENT_CONFIG),
    ("tests", TESTS),
    ("docs", DOCS),
    ("source", SOURCE),
];

const DEPENDENCY: &[&str] = &[
    "**/Cargo.toml",
    "**/Cargo.lock",
    "**/.cargo/**",
    "**/package.json",
    "**/package-lock.json",
    "**/npm-shrinkwrap.json",
    "**/yarn.lock",
    "**/.yarnrc*",
    "**/.yarn/**",
    "**/pnpm-lock.yaml",
    "**/pnpm-workspace.yaml",
    "**/bun.lock*",
    "**/deno.json*",
    "**/deno.lock",
    "**/requirements*.txt",
    "**/constraints*.txt",
    "**/pyproject.toml",
    "**/setup.py",
    "**/setup.cfg",
    "**/Pipfile",
    "**/Pipfile.lock",
    "**/poetry.lock",
    "**/uv.lock",
    "**/pdm.lock",
    "**/environment.yml",
    "**/go.mod",
    "**/go.sum",
    "**/go.work",
    "**/go.work.sum",
    "vendor/**",
    "**/pom.xml",
    "**/build.gradle*",
    "**/settings.gradle*",
    "**/gradle.lockfile",
    "**/gradle/**",
    "**/Gemfile*",
    "**/*.gemspec",
    "**/composer.json",
    "**/composer.lock",
    "**/*.csproj",
    "**/packages.lock.json",
    "**/Directory.Packages.props",
    "**/nuget.config",
    "**/Package.swift",
    "**/Package.resolved",
    "**/Podfile*",
    "**/mix.exs",
    "**/mix.lock",
    "**/pubspec.yaml",
    "**/pubspec.lock",
    "**/flake.nix",
    "**/flake.lock",
    "**/conanfile*",
    "**/vcpkg.json",
    "**/MODULE.bazel*",
    "**/WORKSPACE*",
    ".gitmodules",
    "**/renovate.json*",
    ".github/dependabot.y*ml",
];

const CI: &[&str] = &[
    ".github/workflows/**",
    ".github/actions/**",
    "**/action.yml",
    "**/action.yaml",
    "**/.gitlab-ci.yml",
    ".gitlab/**",
    ".circleci/**",
    ".buildkite/**",
    ".woodpecker/**",
    ".woodpecker.y*ml",
    ".drone.y*ml",
    ".travis.yml",
    ".semaphore/**",
    ".tekton/**",
    ".forgejo/**",
    ".gitea/**",
    ".ci/**",
    "**/Jenkinsfile*",
    "azure-pipelines*.y*ml",
    ".azure-pipelines/**",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    ".appveyor.yml",
    "cloudbuild.y*ml",
    "buildspec.y*ml",
    ".pre-commit-config.yaml",
    ".husky/**",
    ".githooks/**",
    "lefthook.y*ml",
    ".gitattributes",
];

const INFRASTRUCTURE: &[&str] = &[
    "infra/**",
    "infrastructure/**",
    "terraform/**",
    "deploy/**",
    "deployment/**",
    "k8s/**",
    "kubernetes/**",
    "helm/**",
    "charts/**",
    "ansible/**",
    "cloudformation/**",
    "pulumi/**",
    "**/*.tf",
    "**/*.tfvars",
    "**/*.tofu",
    "**/.terraform.lock.hcl",
    "**/*.bicep",
    "**/Pulumi*.yaml",
    "**/Dockerfile*",
    "**/*.dockerfile",
    "**/Containerfile*",
    "**/.dockerignore",
    "**/docker-compose*.y*ml",
    "**/compose.y*ml",
    "**/Chart.yaml",
    "**/kustomization.y*ml",
    "**/serverless.y*ml",
    "**/Procfile",
    "**/fly.toml",
    "**/vercel.json",
    "**/netlify.toml",
    "**/wrangler.toml",
];

const SECRETS: &[&str] = &[
    "**/.env",
    "**/.env.*",
    "**/.envrc",
    "**/*.pem",
    "**/*.key",
    "**/*.p8",
    "**/*.p12",
    "**/*.pfx",
    "**/*.jks",
    "**/*.keystore",
    "**/*.kdbx",
    "**/id_rsa*",
    "**/id_ecdsa*",
    "**/id_ed25519*",
    "**/.npmrc",
    "**/.pypirc",
    "**/.netrc",
    "**/.git-credentials",
    "**/.htpasswd",
    "**/.aws/**",
    "**/.ssh/**",
    "**/.kube/**",
    "**/.docker/**",
    "**/secrets/**",
    "**/secrets.y*ml",
    "**/credentials*",
    "**/service-account*.json",
    ".sops.yaml",
];

const IDENTITY: &[&str] = &[
    "CODEOWNERS",
    ".github/CODEOWNERS",
    ".gitlab/CODEOWNERS",
    "docs/CODEOWNERS",
    "**/OWNERS",
    "**/MAINTAINERS*",
    ".mailmap",
    "**/allowed_signers",
    "**/authorized_keys",
    "**/known_hosts",
    "**/*.pub",
    "**/*.asc",
    "**/rbac/**",
    "**/iam/**",
];

const MIGRATION: &[&str] = &[
    "**/migrations/**",
    "**/migration/**",
    "**/migrate/**",
    "**/alembic/**",
    "**/flyway/**",
    "**/liquibase/**",
    "**/schema.sql",
    "**/structure.sql",
    "**/schema.rb",
    "**/schema.prisma",
];

const AGENT_CONFIG: &[&str] = &[
    "**/AGENTS.md",
    "**/AGENTS.override.md",
    "**/AGENT.md",
    "**/CLAUDE.md",
    "**/CLAUDE.local.md",
    "**/GEMINI.md",
    "**/QWEN.md",
    "**/CRUSH.md",
    "**/WARP.md",
    "**/CONVENTIONS.md",
    "**/SKILL.md",
    "**/.claude/**",
    "**/.claude.json",
    "**/.claude-plugin/**",
    "**/.cursor/**",
    "**/.cursorrules",
    "**/.cursorignore",
    "**/.codex/**",
    "**/.gemini/**",
    "**/.qwen/**",
    "**/.opencode/**",
    "**/opencode.json*",
    "**/.agents/**",
    "**/.agent/**",
    "**/.amp/**",
    "**/.amazonq/**",
    "**/.kiro/**",
    "**/.junie/**",
    "**/.windsurf/**",
    "**/.windsurfrules",
    "**/.cline/**",
    "**/.clinerules/**",
    "**/.roo/**",
    "**/.roomodes",
    "**/.roorules*",
    "**/.kilocode/**",
    "**/.continue/**",
    "**/.continuerules",
    "**/.augment/**",
    "**/.augment-guidelines",
    "**/.trae/**",
    "**/.zed/**",
    "**/.rules",
    "**/.aider*",
    "**/.goosehints",
    "**/.goose/**",
    "**/.crush.json",
    "**/crush.json",
    "**/.mcp.json",
    "**/mcp.json",
    "**/.mcp/**",
    ".github/copilot*",
    ".github/copilot*/**",
    ".github/instructions/**",
    ".github/prompts/**",
    ".github/chatmodes/**",
    ".github/agents/**",
    ".github/skills/**",
    ".github/hooks/**",
    "**/.vscode/tasks.json",
    "**/.vscode/settings.json",
    "**/.vscode/launch.json",
    "**/.vscode/mcp.json",
    "**/.vscode/extensions.json",
    "**/*.code-workspace",
    "**/.devcontainer/**",
    "**/.devcontainer.json",
    "**/.idea/**",
];

const TESTS: &[&str] = &[
    "**/test/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/spec/**",
    "**/e2e/**",
    "**/testdata/**",
    "**/fixtures/**",
    "**/*_test.*",
    "**/*.test.*",
    "**/*.spec.*",
    "**/*_spec.*",
    "**/test_*.py",
    "**/tests.rs",
    "**/*Test.java",
    "**/*Tests.cs",
    "**/conftest.py",
];

const DOCS: &[&str] = &[
    "docs/**",
    "doc/**",
    "**/*.md",
    "**/*.mdx",
    "**/*.rst",
    "**/*.adoc",
    "**/*.txt",
    "LICENSE*",
    "COPYING*",
    "NOTICE*",
];

const SOURCE: &[&str] = &[
    "src/**",
    "lib/**",
    "app/**",
    "crates/**",
    "cmd/**",
    "internal/**",
    "pkg/**",
    "**/*.rs",
    "**/*.go",
    "**/*.py",
    "**/*.js",
    "**/*.jsx",
    "**/*.mjs",
    "**/*.cjs",
    "**/*.ts",
    "**/*.tsx",
    "**/*.vue",
    "**/*.svelte",
    "**/*.java",
    "**/*.kt",
    "**/*.scala",
    "**/*.rb",
    "**/*.php",
    "**/*.cs",
    "**/*.fs",
    "**/*.c",
    "**/*.h",
    "**/*.cc",
    "**/*.cpp",
    "**/*.hpp",
    "**/*.m",
    "**/*.swift",
    "**/*.dart",
    "**/*.ex",
    "**/*.exs",
    "**/*.erl",
    "**/*.hs",
    "**/*.ml",
    "**/*.clj",
    "**/*.lua",
    "**/*.zig",
    "**/*.sh",
    "**/*.bash",
    "**/*.ps1",
    "**/*.sql",
    "**/*.proto",
    "**/Makefile",
    "**/justfile",
    "**/build.rs",
    "**/CMakeLists.txt",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::globs::{Glob, Subject};

    fn classes_of(path: &str) -> Vec<&'static str> {
        built_in()
            .iter()
            .filter(|(_, patterns)| {
                patterns
                    .iter()
                    .any(|p| Glob::parse(p).unwrap().protects(&Subject::new(path.as_bytes())))
            })
            .map(|(id, _)| *id)
            .collect()
    }

    #[test]
    fn every_built_in_pattern_is_of_the_dialect_and_listed_once() {
        for (id, patterns) in built_in() {
            let mut seen = std::collections::BTreeSet::new();
            for pattern in *patterns {
                assert!(Glob::parse(pattern).is_ok(), "{id}: {pattern}");
                assert!(seen.insert(pattern), "{id}: {pattern} stands twice");
            }
        }
    }

    #[test]
    fn case_190_sensitive_paths_have_their_class() {
        let table = [
            (".touchmark/policy.toml", "policy"),
            (".Touchmark/policy.toml", "policy"),
            ("AGENTS.md", "agent-config"),
            ("sub/claude.md", "agent-config"),
            (".claude/settings.json", "agent-config"),
            (".cursor/rules/a.mdc", "agent-config"),
            (".github/copilot-instructions.md", "agent-config"),
            (".mcp.json", "agent-config"),
            (".codex/config.toml", "agent-config"),
            (".vscode/tasks.json", "agent-config"),
            (".github/workflows/ci.yml", "ci"),
            ("Cargo.lock", "dependency"),
            ("infra/main.tf", "infrastructure"),
            ("config/.env.production", "secrets"),
            ("CODEOWNERS", "identity"),
            ("db/migrations/001.sql", "migration"),
            ("tests/a.rs", "tests"),
            ("README.md", "docs"),
            ("src/main.rs", "source"),
        ];
        for (path, class) in table {
            assert!(
                classes_of(path).contains(&class),
                "{path}: {:?}",
                classes_of(path)
            );
        }
        assert!(classes_of("touchmark/policy.toml").is_empty());
    }
}
