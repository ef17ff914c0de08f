//! Reads `[[person]]`, `[[agent]]` and `[[service]]`.

use super::error::PolicyError;
use super::reader::{Keys, Table, Value, nearest};
use super::signers::{AGENT_SIGNER, PERSON_SIGNER, SERVICE_SIGNER, Signers};
use super::{
    Agent, AgentRequirements, AgentStatus, Limits, MAX_LINES_LIMIT, Person, ProductRequirement,
    SbomRequirement, Scope, ScopeRepository, Service, ServiceRole, TranscriptRequirement,
};

pub(super) struct Principals {
    pub(super) people: Vec<Person>,
    pub(super) agents: Vec<Agent>,
    pub(super) services: Vec<Service>,
}

impl Principals {
    /// Refuses a team that nobody belongs to: most likely a slip of the pen.
    pub(super) fn known_team(&self, name: &str, value: &Value<'_>) -> Result<(), PolicyError> {
        let teams = || {
            self.people
                .iter()
                .flat_map(|person| person.teams.iter().map(String::as_str))
        };
        known(name, value, teams)
    }

    pub(super) fn known_person(&self, name: &str, value: &Value<'_>) -> Result<(), PolicyError> {
        known(name, value, || {
            self.people.iter().map(|person| person.id.as_str())
        })
    }
}

/// Refuses a name that is not among those defined.
pub(super) fn known<'n, I: Iterator<Item = &'n str>>(
    name: &str,
    value: &Value<'_>,
    names: impl Fn() -> I,
) -> Result<(), PolicyError> {
    if names().any(|other| other == name) {
        return Ok(());
    }
    let (line, key) = (value.line, value.key.clone());
    Err(PolicyError::UnknownReference {
        line,
        key,
        name: name.to_owned(),
        suggestion: nearest(name, names()),
    })
}

const PERSON: Keys = Keys {
    known: &["id", "teams", "names", "emails", "policy-admin", "signers"],
    unsupported: &["forge", "suspect"],
};
const AGENT: Keys = Keys {
    known: &[
        "id",
        "owner",
        "operators",
        "status",
        "signers",
        "products",
        "models",
        "scope",
        "limits",
        "require",
    ],
    unsupported: &["parent", "delegation"],
};
const SERVICE: Keys = Keys {
    known: &["id", "signers", "may"],
    unsupported: &[],
};
const SCOPE: Keys = Keys {
    known: &["repositories", "refs", "paths"],
    unsupported: &[],
};
const REPOSITORY: Keys = Keys {
    known: &["uri", "id", "forks"],
    unsupported: &[],
};
const LIMITS: Keys = Keys {
    known: &["paths", "lines"],
    unsupported: &["cost", "tokens", "requests"],
};
const REQUIRE: Keys = Keys {
    known: &["prompt", "transcript", "sbom"],
    unsupported: &["vantage", "disclosure"],
};

pub(super) fn read(root: &Table<'_>) -> Result<Principals, PolicyError> {
    let mut seen = Seen::default();
    let mut principals = Principals {
        people: Vec::new(),
        agents: Vec::new(),
        services: Vec::new(),
    };
    for table in root.tables("person", &PERSON)? {
        principals.people.push(person(&table, &mut seen)?);
    }
    for table in root.tables("service", &SERVICE)? {
        principals.services.push(service(&table, &mut seen)?);
    }
    for table in root.tables("agent", &AGENT)? {
        let agent = agent(&table, &mut seen, &principals)?;
        principals.agents.push(agent);
    }
    Ok(principals)
}

/// Ids and signers met so far, over all kinds of principals.
#[derive(Default)]
struct Seen {
    ids: Vec<String>,
    signers: Signers,
}

impl Seen {
    fn id(&mut self, table: &Table<'_>) -> Result<String, PolicyError> {
        let value = table.required("id")?;
        let id = value.id()?;
        if self.ids.contains(&id) {
            return Err(PolicyError::DuplicateId { line: value.line, id });
        }
        self.ids.push(id.clone());
        Ok(id)
    }
}

fn person(table: &Table<'_>, seen: &mut Seen) -> Result<Person, PolicyError> {
    let id = seen.id(table)?;
    Ok(Person {
        teams: table.texts("teams")?,
        names: table.texts("names")?,
        emails: table.texts("emails")?,
        policy_admin: table.boolean("policy-admin")?,
        signers: seen.signers.read(table, &id, &PERSON_SIGNER, true)?,
        id,
    })
}

fn service(table: &Table<'_>, seen: &mut Seen) -> Result<Service, PolicyError> {
    let id = seen.id(table)?;
    let words = [
        ("test-result", ServiceRole::TestResult),
        ("build", ServiceRole::Build),
        ("sbom", ServiceRole::Sbom),
    ];
    let mut may = Vec::new();
    for value in table.required("may")?.list()? {
        if matches!(value.text()?.as_str(), "verdict" | "forge-review" | "suspect") {
            return Err(PolicyError::Unsupported {
                line: value.line,
                key: format!("{} = {:?}", value.key, value.text()?),
            });
        }
        may.push(value.word("\"test-result\", \"build\" or \"sbom\"", &words)?);
    }
    Ok(Service {
        signers: seen.signers.read(table, &id, &SERVICE_SIGNER, false)?,
        may,
        id,
    })
}

fn agent(table: &Table<'_>, seen: &mut Seen, principals: &Principals) -> Result<Agent, PolicyError> {
    let id = seen.id(table)?;
    let words = [
        ("active", AgentStatus::Active),
        ("suspended", AgentStatus::Suspended),
    ];
    let status = table
        .optional("status")
        .map(|value| value.word("\"active\" or \"suspended\"", &words));
    Ok(Agent {
        owner: table.optional("owner").map(|value| value.text()).transpose()?,
        operators: operators(table, principals)?,
        status: status.transpose()?.unwrap_or(AgentStatus::Active),
        signers: seen.signers.read(table, &id, &AGENT_SIGNER, false)?,
        products: products(table)?,
        models: table.globs("models")?.unwrap_or_default(),
        scope: scope(table)?,
        limits: limits(table)?,
        require: require(table)?,
        id,
    })
}

fn operators(table: &Table<'_>, principals: &Principals) -> Result<Vec<String>, PolicyError> {
    let Some(value) = table.optional("operators") else {
        return Ok(Vec::new());
    };
    let mut operators = Vec::new();
    for value in value.list()? {
        let text = value.text()?;
        match text.strip_prefix("team:") {
            Some(team) => principals.known_team(team, &value)?,
            None => principals.known_person(&text, &value)?,
        }
        operators.push(text);
    }
    Ok(operators)
}

fn products(table: &Table<'_>) -> Result<Vec<ProductRequirement>, PolicyError> {
    let Some(value) = table.optional("products") else {
        return Ok(Vec::new());
    };
    let items = value.list()?;
    if items.is_empty() {
        return Err(value.wrong("at least one product", "[]", &[]));
    }
    let parse = |value: &Value<'_>| {
        let text = value.text()?;
        ProductRequirement::parse(&text).ok_or_else(|| {
            value.wrong(
                "a product name, and bounds such as `>=2.1, <3` after a space",
                &text,
                &[],
            )
        })
    };
    items.iter().map(parse).collect()
}

fn scope(table: &Table<'_>) -> Result<Scope, PolicyError> {
    let Some(scope) = table.table("scope", &SCOPE)? else {
        return Ok(Scope::default());
    };
    let mut repositories = None;
    if let Some(value) = scope.optional("repositories") {
        let list = value
            .list()?
            .iter()
            .map(repository)
            .collect::<Result<Vec<_>, _>>()?;
        if list.is_empty() {
            return Err(value.wrong("at least one repository", "[]", &[]));
        }
        repositories = Some(list);
    }
    Ok(Scope {
        repositories,
        refs: scope.globs("refs")?,
        paths: scope.globs("paths")?,
    })
}

fn repository(item: &Value<'_>) -> Result<ScopeRepository, PolicyError> {
    if !item.is_table() {
        return Ok(ScopeRepository {
            uri: item.text()?,
            id: None,
            forks: false,
        });
    }
    let table = item.table(&REPOSITORY)?;
    Ok(ScopeRepository {
        uri: table.text("uri")?,
        id: table.optional("id").map(|value| value.text()).transpose()?,
        forks: table.boolean("forks")?,
    })
}

fn limits(table: &Table<'_>) -> Result<Limits, PolicyError> {
    let Some(limits) = table.table("limits", &LIMITS)? else {
        return Ok(Limits::default());
    };
    let limit = |key: &str, most: u64, expected: &'static str| {
        let value = limits
            .optional(key)
            .map(|value| value.threshold(most.cast_signed(), expected))
            .transpose();
        value.map(|limit| limit.map(i64::unsigned_abs))
    };
    Ok(Limits {
        paths: limit("paths", 1 << 32, "at least 1")?,
        lines: limit("lines", MAX_LINES_LIMIT, "from 1 to 10000")?,
    })
}

fn require(table: &Table<'_>) -> Result<AgentRequirements, PolicyError> {
    let Some(require) = table.table("require", &REQUIRE)? else {
        return Ok(AgentRequirements::default());
    };
    let words = [
        ("none", TranscriptRequirement::None),
        ("committed", TranscriptRequirement::Committed),
        ("whole", TranscriptRequirement::Whole),
    ];
    let transcript = require.optional("transcript");
    Ok(AgentRequirements {
        prompt: require.boolean("prompt")?,
        transcript: transcript
            .map(|value| value.word("\"none\", \"committed\" or \"whole\"", &words))
            .transpose()?
            .unwrap_or_default(),
        sbom: sbom(&require)?,
    })
}

fn sbom(require: &Table<'_>) -> Result<SbomRequirement, PolicyError> {
    let booleans = [SbomRequirement::None, SbomRequirement::Named];
    let words = [("whole", SbomRequirement::Whole)];
    let value = require.optional("sbom");
    let value = value.map(|value| value.boolean_or_word("true, false or \"whole\"", booleans, &words));
    Ok(value.transpose()?.unwrap_or_default())
}
