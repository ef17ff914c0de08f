use std::fs::File;
use std::time::{Duration, SystemTime};

use super::*;

#[test]
fn a_folder_with_too_many_files_still_tells_its_first_and_its_latest() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("folder");
    let folder = Folder::open(&path).unwrap();
    for (age, name) in [(4, "c"), (1, "a"), (2, "d"), (3, "b"), (0, ".lock-x")] {
        folder.write(name, |file| file.write_all(b"x")).unwrap();
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age);
        let file = File::options().write(true).open(path.join(name)).unwrap();
        file.set_modified(written).unwrap();
    }
    assert_eq!(folder.names(3).unwrap_err().code(), "store.too_many");
    assert_eq!(folder.first_names(3).unwrap(), ["a", "b", "c"]);
    assert_eq!(folder.latest_names(2).unwrap(), ["a", "d"]);
    for names in [folder.first_names(9).unwrap(), folder.latest_names(9).unwrap()] {
        assert_eq!(names, ["a", "b", "c", "d"]);
    }
    assert!(folder.first_names(0).unwrap().is_empty());
    assert!(folder.latest_names(0).unwrap().is_empty());
}
