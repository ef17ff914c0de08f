use super::*;

fn place(working_directory: Option<&str>) -> Place<'_> {
    Place {
        step: 0,
        role: Role::Primary,
        working_directory,
    }
}

#[test]
fn files_of_one_name_in_two_directories_are_two_files() {
    let mut calls = Calls::default();
    for directory in ["/srv/web", "/srv/api", "/srv/web"] {
        calls.add_confirmed_write("src/lib.rs", place(Some(directory)));
        calls.add_confirmed_write("/srv/notes.md", place(Some(directory)));
    }
    let asked = NewCall {
        id: Some("c"),
        name: "edit",
        writes: &["src/lib.rs"],
        ..NewCall::default()
    };
    calls.add_call(&asked, place(Some("/srv/cli/"))).unwrap();
    let written = calls.finish().unwrap().written;
    let told: Vec<(&str, Option<&str>, bool)> = written
        .iter()
        .map(|(path, how)| (path.as_str(), how.working_directory.as_deref(), how.confirmed))
        .collect();
    assert_eq!(
        told,
        [
            ("/srv/api/src/lib.rs", Some("/srv/api"), true),
            ("/srv/cli/src/lib.rs", Some("/srv/cli/"), false),
            ("/srv/notes.md", Some("/srv/web"), true),
            ("src/lib.rs", Some("/srv/web"), true),
        ]
    );
}

#[test]
fn a_write_beyond_the_cap_is_not_left_out_in_silence() {
    let finished = |more: &str| {
        let mut calls = Calls::default();
        for n in 0..MAX_DISTINCT_NAMES {
            calls.add_confirmed_write(&format!("{n}"), place(None));
        }
        calls.add_confirmed_write(more, place(None));
        calls.finish().map(|calls| calls.written.len())
    };
    assert_eq!(finished("0").unwrap(), MAX_DISTINCT_NAMES, "it is there already");
    assert_eq!(finished("one more").unwrap_err().code(), "session.too_large");
}
