use crate::support::*;

#[test]
fn a_good_bundle_verifies_and_says_what_was_checked() {
    let mut world = World::new();
    let bundle = world.good();
    let verified = world.verify(&bundle).unwrap();
    assert_eq!(verified.signer().key(), Some(&world.signer.fingerprint()));
    assert_eq!(verified.log().unwrap().origin, world.log.origin);
    assert_eq!(verified.log().unwrap().index, 5);
    assert!(verified.verified_times().is_empty());
    println!("{:#?}", verified.checks());
}
