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
    let written = calls.finish().written;
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
