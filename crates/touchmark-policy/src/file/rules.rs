//! Reads `[[class]]`, `[[rule]]`, `[gate]` and `[[exception]]`.

use super::error::PolicyError;
use super::people::{Principals, known};
use super::reader::{Keys, Table, Value};
use super::{Approvals, Exception, MergeGate, NotCounted, PathClass, Residual, Rule, Tier, Undeclared};
use crate::classes;
use crate::globs::Glob;

pub(super) struct Rules {
    pub(super) classes: Vec<PathClass>,
    pub(super) rules: Vec<Rule>,
    pub(super) merge: MergeGate,
    pub(super) exceptions: Vec<Exception>,
}

const CLASS: Keys = Keys {
    known: &["id", "paths"],
    unsupported: &[],
};
const RULE: Keys = Keys {
    known: &[
        "id",
        "classes",
        "paths",
        "tier",
        "approvals",
        "message",
        "solution",
    ],
    unsupported: &["agents", "severity"],
};
const APPROVALS: Keys = Keys {
    known: &["people", "teams", "not", "filekeys", "carry"],
    unsupported: &[],
};
const GATE: Keys = Keys {
    known: &["merge"],
    unsupported: &["deploy", "landed"],
};
const MERGE: Keys = Keys {
    known: &["require", "residual", "undeclared", "every-commit", "approvals"],
    unsupported: &["tests", "suspects"],
};
const EXCEPTION: Keys = Keys {
    known: &["rule", "paths", "until", "reason", "owner"],
    unsupported: &[],
};

pub(super) fn read(root: &Table<'_>, principals: &Principals) -> Result<Rules, PolicyError> {
    let classes = classes(root)?;
    let mut rules: Vec<Rule> = Vec::new();
    for table in root.tables("rule", &RULE)? {
        let rule = rule(&table, &classes, principals)?;
        if rules.iter().any(|other| other.id == rule.id) {
            return Err(PolicyError::DuplicateId {
                line: table.required("id")?.line,
                id: rule.id,
            });
        }
        rules.push(rule);
    }
    let merge = merge(root, principals)?;
    let exceptions = root
        .tables("exception", &EXCEPTION)?
        .iter()
        .map(|table| exception(table, &rules, principals))
        .collect::<Result<_, _>>()?;
    Ok(Rules {
        classes,
        rules,
        merge,
        exceptions,
    })
}

/// Built-in classes with what the policy adds to them, then the policy's own.
fn classes(root: &Table<'_>) -> Result<Vec<PathClass>, PolicyError> {
    let built_in = |(id, patterns): &classes::BuiltIn| PathClass {
        id: (*id).to_owned(),
        paths: patterns
            .iter()
            .map(|p| Glob::parse(p).expect("built-in patterns are of the dialect"))
            .collect(),
    };
    let mut all: Vec<PathClass> = classes::built_in().iter().map(built_in).collect();
    let mut seen: Vec<String> = Vec::new();
    for table in root.tables("class", &CLASS)? {
        let value = table.required("id")?;
        let id = value.id()?;
        if seen.contains(&id) {
            return Err(PolicyError::DuplicateId { line: value.line, id });
        }
        table.required("paths")?;
        let paths = table.globs("paths")?.unwrap_or_default();
        match all.iter_mut().find(|class| class.id == id) {
            Some(class) => class.paths.extend(paths),
            None => all.push(PathClass {
                id: id.clone(),
                paths,
            }),
        }
        seen.push(id);
    }
    Ok(all)
}

fn rule(table: &Table<'_>, classes: &[PathClass], principals: &Principals) -> Result<Rule, PolicyError> {
    let id = table.required("id")?.id()?;
    let mut named = Vec::new();
    if let Some(list) = table.optional("classes") {
        for value in list.list()? {
            let class = value.text()?;
            known(&class, &value, || classes.iter().map(|class| class.id.as_str()))?;
            named.push(class);
        }
    }
    let paths = table.globs("paths")?.unwrap_or_default();
    if named.is_empty() && paths.is_empty() {
        return Err(PolicyError::MissingKey {
            line: table.line(),
            key: "rule.classes or rule.paths".to_owned(),
        });
    }
    Ok(Rule {
        id,
        classes: named,
        paths,
        tier: tier(table, principals)?,
        message: table.optional("message").map(|value| value.text()).transpose()?,
        solution: table.optional("solution").map(|value| value.text()).transpose()?,
    })
}

fn tier(table: &Table<'_>, principals: &Principals) -> Result<Tier, PolicyError> {
    let value = table.required("tier")?;
    let words = [("free", 0), ("gated", 1), ("forbidden", 2)];
    let tier = value.word("\"free\", \"gated\" or \"forbidden\"", &words)?;
    let approvals = table.optional("approvals");
    match (tier, approvals) {
        (1, Some(approvals)) => Ok(Tier::Gated(read_approvals(&approvals, principals)?)),
        (1, None) => Err(PolicyError::MissingKey {
            line: table.line(),
            key: "rule.approvals".to_owned(),
        }),
        (_, Some(approvals)) => {
            Err(approvals.wrong("absent, because only a gated rule has approvals", "present", &[]))
        }
        (0, None) => Ok(Tier::Free),
        (_, None) => Ok(Tier::Forbidden),
    }
}

/// Who does not count unless the policy says otherwise.
const NOT_COUNTED: [NotCounted; 2] = [NotCounted::Author, NotCounted::AgentOperators];

fn read_approvals(value: &Value<'_>, principals: &Principals) -> Result<Approvals, PolicyError> {
    let table = value.table(&APPROVALS)?;
    let mut teams = Vec::new();
    if let Some(value) = table.optional("teams") {
        for (team, count) in value.named_values()? {
            principals.known_team(&team, &count)?;
            teams.push((team, threshold(&count)?));
        }
    }
    let from_teams = teams.iter().map(|(_, count)| *count).max();
    let people = match table.optional("people") {
        Some(people) => threshold(&people)?,
        None => from_teams.ok_or(PolicyError::MissingKey {
            line: table.line(),
            key: format!("{}.people", value.key),
        })?,
    };
    let mut not = NOT_COUNTED.to_vec();
    if let Some(list) = table.optional("not") {
        let words = [
            ("author", NotCounted::Author),
            ("agent-operators", NotCounted::AgentOperators),
        ];
        let read = |value: &Value<'_>| value.word("\"author\" or \"agent-operators\"", &words);
        not = list.list()?.iter().map(read).collect::<Result<_, _>>()?;
    }
    if let Some(carry) = table.optional("carry") {
        match carry.text()?.as_str() {
            "none" => {}
            "disjoint" | "clean" => {
                let key = format!("{} = {:?}", carry.key, carry.text()?);
                return Err(PolicyError::Unsupported {
                    line: carry.line,
                    key,
                });
            }
            other => return Err(carry.wrong("\"none\"", other, &["none"])),
        }
    }
    Ok(Approvals {
        people,
        teams,
        not,
        filekeys: table.boolean("filekeys")?,
    })
}

fn threshold(value: &Value<'_>) -> Result<u32, PolicyError> {
    let number = value.threshold(1_000, "from 1 to 1000")?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn merge(root: &Table<'_>, principals: &Principals) -> Result<MergeGate, PolicyError> {
    let approvals = Approvals {
        people: 1,
        teams: Vec::new(),
        not: NOT_COUNTED.to_vec(),
        filekeys: false,
    };
    let mut merge = MergeGate {
        tests: false,
        residual: Residual::Forbid,
        undeclared: Undeclared::Finding,
        every_commit: false,
        approvals,
    };
    let Some(gate) = root.table("gate", &GATE)? else {
        return Ok(merge);
    };
    let Some(table) = gate.table("merge", &MERGE)? else {
        return Ok(merge);
    };
    if let Some(value) = table.optional("require") {
        merge.tests = required_evidence(&value)?;
    }
    if let Some(value) = table.optional("residual") {
        let words = [
            ("forbid", Residual::Forbid),
            ("approval", Residual::Approval),
            ("allow", Residual::Allow),
        ];
        merge.residual = value.word("\"forbid\", \"approval\" or \"allow\"", &words)?;
    }
    if let Some(value) = table.optional("undeclared") {
        let words = [
            ("finding", Undeclared::Finding),
            ("residual", Undeclared::Residual),
        ];
        merge.undeclared = value.word("\"finding\" or \"residual\"", &words)?;
    }
    merge.every_commit = table.boolean("every-commit")?;
    if let Some(value) = table.optional("approvals") {
        merge.approvals = read_approvals(&value, principals)?;
    }
    Ok(merge)
}

/// Returns whether tests are required. That the change is accounted for cannot be configured away.
fn required_evidence(value: &Value<'_>) -> Result<bool, PolicyError> {
    let (mut accounted, mut tests) = (false, false);
    for item in value.list()? {
        let text = item.text()?;
        match text.as_str() {
            "accounted" => accounted = true,
            "tests" => tests = true,
            "landed-verdict" | "build" | "sbom" => {
                let key = format!("{} = {text:?}", item.key);
                return Err(PolicyError::Unsupported { line: item.line, key });
            }
            other => return Err(item.wrong("\"accounted\" or \"tests\"", other, &["accounted", "tests"])),
        }
    }
    if !accounted {
        return Err(value.wrong(
            "a list with \"accounted\", which is always required",
            "a list without it",
            &[],
        ));
    }
    Ok(tests)
}

fn exception(table: &Table<'_>, rules: &[Rule], principals: &Principals) -> Result<Exception, PolicyError> {
    let rule = table.required("rule")?;
    known(&rule.text()?, &rule, || rules.iter().map(|rule| rule.id.as_str()))?;
    let owner = table.required("owner")?;
    principals.known_person(&owner.text()?, &owner)?;
    table.required("paths")?;
    Ok(Exception {
        rule: rule.text()?,
        paths: table.globs("paths")?.unwrap_or_default(),
        until: table.required("until")?.end()?,
        reason: table.text("reason")?,
        owner: owner.text()?,
    })
}
