//! Writes the generated session files below the folder that is given as the only argument (`testdata/sessions`).

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let root: PathBuf = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .expect("the folder to write to");
    for fixture in touchmark_testkit::fixtures::sessions() {
        let path = root.join(&fixture.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, &fixture.bytes)?;
    }
    Ok(())
}
