//! Configurations that contradict themselves.

use crate::network::{ENCLAVE, Setup};
use sealwork_cas::{CasError, Member};
use sealwork_types::Address;

fn refused(setup: &Setup) -> CasError {
    Member::open(setup.config()).map(drop).unwrap_err()
}

#[test]
fn a_key_that_is_no_member_is_refused() {
    let setup = Setup { key: [1; 32], ..Setup::new() };
    assert!(matches!(refused(&setup), CasError::NotAMember { .. }));
}

#[test]
fn networks_of_several_members_are_refused_until_they_can_be_run() {
    let mut setup = Setup::new();
    setup.anchors.cas_members.push(Address::repeat_byte(0xff));
    assert!(matches!(refused(&setup), CasError::Config { field: "anchors", .. }));
}

#[test]
fn another_deployments_chain_is_refused() {
    let mut setup = Setup::new();
    setup.anchors.domain.chain_id = 1_337;
    assert!(matches!(refused(&setup), CasError::Config { field: "chain", .. }));
}

#[test]
fn a_member_that_enclaves_would_refuse_does_not_start() {
    let mut setup = Setup::new();
    setup.anchors.cas_enclaves[0].measurement = ENCLAVE;
    assert!(matches!(refused(&setup), CasError::NotAcceptable { .. }));
}

#[test]
fn a_network_without_grantable_enclaves_is_refused() {
    let setup = Setup { grantable: Vec::new(), ..Setup::new() };
    assert!(matches!(refused(&setup), CasError::Config { field: "grantable", .. }));
}

#[test]
fn a_state_folder_has_one_member_at_a_time() {
    let setup = Setup::new();
    let _running = Member::open(setup.config()).unwrap();
    assert!(matches!(refused(&setup), CasError::Log(_)));
}
