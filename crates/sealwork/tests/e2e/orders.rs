//! Orders that are not what they should be: the market refuses them, or the enclave does, and nobody pays twice.

use crate::support::{
    network::{Network, WorkerMachine},
    requester::{Requester, TOKEN, has_output, status},
};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_seal::{age::Identity, binding::InputBinding};
use sealwork_types::order::SigningDomain;

/// Copies nothing, does nothing.
const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// Price of a task of this app at the local worker: 2 for the app, 1 for the worker.
const PRICE: u128 = 3 * TOKEN;

fn refused_with(result: Result<sealwork_types::DealId, PortError>, error: &str) {
    let refusal = result.expect_err("the market must refuse");
    assert_eq!(refusal.kind, ErrorKind::Rejected, "{refusal}");
    assert!(refusal.to_string().contains(error), "expected {error}, got {refusal}");
}

#[tokio::test]
async fn the_market_refuses_expired_and_wrongly_signed_orders() {
    let network = Network::start(&["--no-worker"]);
    let machine = WorkerMachine::new(&network, &network.document());
    let _worker = machine.start();
    let app = network.publish_text("nothing", NOTHING, "");
    let (alice, mallory) = (Requester::join(&network, 3).await, Requester::join(&network, 4).await);
    let view = alice.app(&app).await;
    let params = alice.honest_input(&view).await;
    let proposal = alice.propose(&view, params).await;
    let domain = alice.client.network().anchors.domain;
    let before = (alice.money().await, mallory.money().await);

    let mut expired = proposal.clone();
    expired.request.expiry = 1_000_000_000;
    refused_with(alice.submit(expired).await, "OrderExpired");

    let other_chain = SigningDomain { chain_id: domain.chain_id + 1, ..domain };
    let signature = alice.key.sign(&other_chain, &proposal.request);
    refused_with(alice.submit_signed(proposal.clone(), signature).await, "BadSignature");

    // Mallory spends Alice's money only with Alice's signature over exactly this order.
    refused_with(mallory.submit(proposal.clone()).await, "BadSignature");
    let signature = alice.key.sign(&domain, &proposal.request);
    let mut dearer = proposal.clone();
    dearer.request.outputRecipient = mallory.output_recipient().digest();
    refused_with(mallory.submit_signed(dearer, signature.clone()).await, "BadSignature");

    assert_eq!((alice.money().await, mallory.money().await), before, "refused orders cost nothing");

    // The genuine order goes through once, whoever sends it, and not twice.
    let deal = mallory.submit_signed(proposal.clone(), signature.clone()).await.unwrap();
    assert_eq!(status(&alice.settled(deal).await), "SUCCESS");
    refused_with(mallory.submit_signed(proposal, signature).await, "OrderConsumed");
    assert_eq!(alice.money().await, (before.0.0 - PRICE, 0));
    assert_eq!(mallory.money().await, before.1);
}

#[tokio::test]
async fn an_enclave_opens_an_input_only_for_whom_it_was_sealed() {
    let network = Network::start(&[]);
    let app = network.publish_text("nothing", NOTHING, "");
    let twin = network.publish_text("twin", NOTHING, "");
    let (alice, mallory) = (Requester::join(&network, 3).await, Requester::join(&network, 4).await);
    let (view, twin) = (alice.app(&app).await, alice.app(&twin).await);
    let params = alice.honest_input(&view).await;
    assert_eq!(status(&alice.run(&view, params).await), "SUCCESS");
    let (alice_before, mallory_before) = (alice.money().await.0, mallory.money().await.0);

    // Copied from storage, under an order of her own.
    let stolen = mallory.run(&view, params).await;
    assert_eq!((status(&stolen).as_str(), has_output(&stolen)), ("INPUT_BINDING_ERROR", false));
    let receipt = mallory.client.receipt(&stolen).await.unwrap();
    assert!(mallory.client.fetch(&stolen, &receipt).await.unwrap().is_none());
    assert_eq!(mallory.money().await, (mallory_before - PRICE, 0), "the attempt is paid, once");
    assert_eq!(alice.money().await, (alice_before, 0), "the victim pays nothing");

    // The same bytes for another app: it has other keys. Whose fault that is cannot be proven, so nobody pays.
    let swapped = alice.run(&twin, params).await;
    assert_eq!((status(&swapped).as_str(), has_output(&swapped)), ("KEY_ERROR", false));

    // Sealed to the right key, but bound to something else.
    let honest = alice.binding(&view);
    let elsewhere = SigningDomain { chain_id: honest.domain.chain_id + 1, ..honest.domain };
    let other_recipient = Identity::generate().unwrap().recipient().digest();
    let wrong = [
        InputBinding { app: twin.id, ..honest },
        InputBinding { output_recipient: other_recipient, ..honest },
        InputBinding { requester: mallory.client.address(), ..honest },
        InputBinding { domain: elsewhere, ..honest },
    ];
    for binding in wrong {
        let sealed = alice.seal(&view, binding, b"secret").await;
        let record = alice.run(&view, alice.upload(sealed).await).await;
        assert_eq!(
            (status(&record).as_str(), has_output(&record)),
            ("INPUT_BINDING_ERROR", false),
            "{binding:?}"
        );
    }

    // The order's output recipient swapped for Mallory's key.
    let mut proposal = alice.propose(&view, params).await;
    proposal.request.outputRecipient = mallory.output_recipient().digest();
    let swapped = alice.settled(alice.submit(proposal).await.unwrap()).await;
    assert_eq!((status(&swapped).as_str(), has_output(&swapped)), ("INPUT_BINDING_ERROR", false));

    let late = InputBinding { expiry: 1_000_000_000, ..honest };
    let sealed = alice.seal(&view, late, b"secret").await;
    let expired = alice.run(&view, alice.upload(sealed).await).await;
    assert_eq!((status(&expired).as_str(), has_output(&expired)), ("INPUT_EXPIRED", false));
    assert_eq!(alice.money().await, (alice_before - 6 * PRICE, 0), "six attempts of her own, each paid once");
}
