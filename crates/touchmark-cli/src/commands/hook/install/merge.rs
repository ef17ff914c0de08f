//! Hooks in JSON configuration: put in beside what is there, and taken out again.

use super::draft::Draft;
use super::json::{self, Json, Kind, Node, Style, Unreadable};
use super::quote::{HookCommand, is_ours};

/// How one agent writes its hooks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    /// The name of the agent in our commands.
    pub(crate) hook: &'static str,
    /// The events, each with its time limit in the agent's unit (Cursor's have none).
    pub(crate) events: &'static [(&'static str, u32)],
    /// How an event's hooks are listed.
    pub(crate) listing: Listing,
    /// A number that the file needs at its top.
    pub(crate) version: Option<u32>,
    /// A variable that the agent needs so that its last hook can end.
    pub(crate) variable: Option<(&'static str, &'static str)>,
}

/// How an event's hooks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Groups of commands: `[{"hooks": [{"type": "command", "command": …}]}]`.
    Groups,
    /// The same with a name for each command, and a matcher for the events that have one.
    NamedGroups,
    /// Commands: `[{"command": …}]`.
    Commands,
    /// Commands for two shells: `[{"type": "command", "bash": …, "powershell": …}]`.
    Shells,
}

/// Why a configuration is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The text cannot be read.
    Unreadable(Unreadable),
    /// A part of it is of another type than the agent's format has it.
    Shape(&'static str),
}

impl From<Unreadable> for Refusal {
    fn from(reason: Unreadable) -> Self {
        Self::Unreadable(reason)
    }
}

impl Format {
    fn item(&self, event: &str, timeout: u32, command: &HookCommand) -> Json {
        let sh = Json::Text(command.sh(self.hook));
        match self.listing {
            Listing::Commands => Json::Object(vec![("command", sh)]),
            Listing::Shells => Json::Object(vec![
                ("type", Json::text("command")),
                ("bash", sh),
                ("powershell", Json::Text(command.power_shell(self.hook))),
                ("timeoutSec", Json::Number(timeout)),
            ]),
            Listing::Groups | Listing::NamedGroups => {
                let named = self.listing == Listing::NamedGroups;
                let mut entry = Vec::new();
                if named {
                    entry.push(("name", Json::text("touchmark")));
                }
                entry.push(("type", Json::text("command")));
                entry.push(("command", sh));
                entry.push(("timeout", Json::Number(timeout)));
                let mut group = Vec::new();
                if named && event == "AfterAgent" {
                    group.push(("matcher", Json::text("*")));
                }
                group.push(("hooks", Json::Array(vec![Json::Object(entry)])));
                Json::Object(group)
            }
        }
    }

    fn whole(&self, command: &HookCommand) -> Json {
        let events = self.events.iter().map(|(event, timeout)| {
            let item = self.item(event, *timeout, command);
            (*event, Json::Array(vec![item]))
        });
        Json::Object(events.collect())
    }

    /// Puts in what is missing. A text that has everything comes back as it is.
    pub(crate) fn add(&self, text: &str, command: &HookCommand) -> Result<Draft, Refusal> {
        if text.trim_matches('\u{feff}').trim().is_empty() {
            let mut members = Vec::new();
            members.extend(self.version.map(|version| ("version", Json::Number(version))));
            if let Some((name, value)) = self.variable {
                members.push(("env", Json::Object(vec![(name, Json::text(value))])));
            }
            members.push(("hooks", self.whole(command)));
            let file = Json::Object(members).write(Some(&Style::default()), 0) + "\n";
            let mut draft = Draft::of(text);
            draft.insert(vec![(text.len(), file)]);
            return Ok(draft);
        }
        let mut draft = Draft::of(text);
        if let Some(version) = self.version {
            add_member(&mut draft, &[], "version", &Json::Number(version))?;
        }
        if let Some((name, value)) = self.variable {
            let inner = Json::Object(vec![(name, Json::text(value))]);
            if !add_member(&mut draft, &[], "env", &inner)? {
                add_member(&mut draft, &["env"], name, &Json::text(value))?;
            }
        }
        if add_member(&mut draft, &[], "hooks", &self.whole(command))? {
            return Ok(draft);
        }
        for (event, timeout) in self.events {
            let item = self.item(event, *timeout, command);
            let list = Json::Array(vec![item.clone()]);
            if !add_member(&mut draft, &["hooks"], event, &list)? {
                self.add_item(&mut draft, event, &command.sh(self.hook), &item)?;
            }
        }
        Ok(draft)
    }

    fn add_item(&self, draft: &mut Draft, event: &str, command: &str, item: &Json) -> Result<(), Refusal> {
        let root = json::read(&draft.text)?;
        let list = root.member("hooks").and_then(|hooks| hooks.member(event));
        let list = list.ok_or(Refusal::Shape("an event"))?;
        let elements = list.elements().ok_or(Refusal::Shape("an event"))?;
        let there = elements.iter().flat_map(|element| self.commands(element));
        if there.into_iter().any(|found| found == command) {
            return Ok(());
        }
        let style = Style::of(&draft.text, &root);
        let pieces = json::insert(&draft.text, list, 2, style.as_ref(), |style| item.write(style, 3));
        draft.insert(pieces);
        Ok(())
    }

    /// The commands of one element of an event's list.
    fn commands<'n>(&self, element: &'n Node) -> Vec<&'n str> {
        let name = self.command_name();
        let command = |entry: &'n Node| entry.member(name).and_then(Node::text);
        match self.listing {
            Listing::Commands | Listing::Shells => command(element).into_iter().collect(),
            Listing::Groups | Listing::NamedGroups => element
                .member("hooks")
                .and_then(Node::elements)
                .unwrap_or_default()
                .iter()
                .filter_map(command)
                .collect(),
        }
    }

    /// The member that holds a command.
    fn command_name(&self) -> &'static str {
        match self.listing {
            Listing::Shells => "bash",
            _ => "command",
        }
    }

    /// Whether nothing is left in a text but what the format needs at its top.
    pub(crate) fn is_bare(&self, text: &str) -> bool {
        let Ok(Node {
            kind: Kind::Object(members),
            ..
        }) = json::read(text)
        else {
            return text.trim().is_empty();
        };
        members
            .iter()
            .all(|member| member.name == "version" && self.version.is_some())
    }

    /// Whether a text calls us anywhere.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        json::read(text).is_ok_and(|root| self.first_ours(&root).is_some())
    }

    /// Takes out every hook of ours, with what becomes empty by that.
    pub(crate) fn remove(&self, text: &str) -> Result<String, Refusal> {
        let mut text = text.to_owned();
        let mut any = false;
        loop {
            if text.trim_matches('\u{feff}').trim().is_empty() {
                return Ok(text);
            }
            let root = json::read(&text)?;
            let Some(path) = self.first_ours(&root) else {
                break;
            };
            any = true;
            text = cut_at(&text, &root, &path);
        }
        if let (true, Some((name, value))) = (any, self.variable) {
            let root = json::read(&text)?;
            let set = root
                .member("env")
                .and_then(|env| env.member(name))
                .and_then(Node::text);
            if set == Some(value)
                && let Some(path) = path_of(&root, &["env", name])
            {
                text = cut_at(&text, &root, &path);
            }
        }
        Ok(text)
    }

    /// The way to the first hook of ours, as the number of the child at each level.
    fn first_ours(&self, root: &Node) -> Option<Vec<usize>> {
        let hooks_at = path_of(root, &["hooks"])?;
        let Kind::Object(events) = &root.member("hooks")?.kind else {
            return None;
        };
        let ours = |entry: &Node| {
            let command = entry.member(self.command_name()).and_then(Node::text);
            command.is_some_and(|command| is_ours(command, self.hook))
        };
        for (event_at, event) in events.iter().enumerate() {
            for (at, element) in event.value.elements().unwrap_or_default().iter().enumerate() {
                let mut path = [hooks_at.clone(), vec![event_at, at]].concat();
                if matches!(self.listing, Listing::Commands | Listing::Shells) {
                    if ours(element) {
                        return Some(path);
                    }
                    continue;
                }
                let entries = element.member("hooks").and_then(Node::elements);
                if let Some(entry_at) = entries.unwrap_or_default().iter().position(ours) {
                    path.extend(path_of(element, &["hooks"])?);
                    path.push(entry_at);
                    return Some(path);
                }
            }
        }
        None
    }
}

/// Adds a member to the object at `path`, unless it has one of this name. Returns whether it was added.
fn add_member(draft: &mut Draft, path: &[&str], name: &'static str, value: &Json) -> Result<bool, Refusal> {
    let root = json::read(&draft.text)?;
    let mut container = &root;
    for step in path {
        container = container.member(step).ok_or(Refusal::Shape("the hooks"))?;
    }
    let Kind::Object(_) = container.kind else {
        return Err(Refusal::Shape(if path.is_empty() {
            "the file"
        } else {
            "the hooks"
        }));
    };
    if container.member(name).is_some() {
        return Ok(false);
    }
    let style = Style::of(&draft.text, &root);
    let depth = path.len();
    let pieces = json::insert(&draft.text, container, depth, style.as_ref(), |style| {
        format!("\"{name}\": {}", value.write(style, depth + 1))
    });
    draft.insert(pieces);
    Ok(true)
}

fn path_of(root: &Node, names: &[&str]) -> Option<Vec<usize>> {
    let mut node = root;
    let mut path = Vec::new();
    for name in names {
        let Kind::Object(members) = &node.kind else {
            return None;
        };
        let at = members.iter().position(|member| member.name == *name)?;
        path.push(at);
        node = &members[at].value;
    }
    Some(path)
}

/// Cuts what is at `path`, and with it every container that would be left with nothing in it, but the whole file.
///
/// A group of commands goes with its last command, whatever else it says: without a command it does nothing.
fn cut_at(text: &str, root: &Node, path: &[usize]) -> String {
    let mut way = vec![root];
    for at in path {
        let node = way[way.len() - 1];
        let next = match &node.kind {
            Kind::Object(members) => members.get(*at).map(|member| &member.value),
            Kind::Array(elements) => elements.get(*at),
            Kind::Text(_) | Kind::Plain => None,
        };
        let Some(next) = next else {
            return text.to_owned();
        };
        way.push(next);
    }
    let mut level = path.len() - 1;
    while level > 0 {
        let is_group = level == 3 && matches!(way[level].kind, Kind::Object(_));
        if way[level].children().len() > 1 && !is_group {
            break;
        }
        level -= 1;
    }
    json::remove(text, &json::cut(text, way[level], path[level]))
}
