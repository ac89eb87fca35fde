//! What follows from agreements by the passing of time: channels, updates of apps, names.

use super::{NOTHING, chain, fails_with, posted, sign_request, text, tokens, with_worker};
use crate::support::{eventually, network::project, rpc};
use sealwork_types::params::{APP_UPDATE_DELAY_S, CHANNEL_DISPUTE_S, NAME_CLAIM_DELAY_S};
use serde_json::Value;

#[test]
fn a_channel_is_paid_by_vouchers_and_its_rest_comes_back() {
    let (network, machine, _worker) = with_worker();
    let home = &network.home;
    let opened = home.ok(["channel", "open", "nothing", "--tasks", "10"]);
    let channel = text(&opened["channel"]);
    assert_eq!(home.ok(["account", "show"])["locked"], tokens(30));

    fails_with(&machine.home, &["channel", "pay", channel, "3"], "pays this channel");
    fails_with(home, &["channel", "pay", channel, "11"], "10 tasks");
    let voucher = |count: &str, file: &str| {
        home.ok(["channel", "pay", channel, count, "--out", file]);
        home.path(file).to_str().unwrap().to_owned()
    };
    let three = voucher("3", "three.json");
    let paid = machine.home.ok(["channel", "redeem", &three]);
    assert_eq!(paid["paid"], 3, "{paid}");
    assert_eq!(machine.home.ok(["account", "show"])["available"], tokens(3));
    fails_with(&machine.home, &["channel", "redeem", &three], "NothingNew");
    let mut forged: Value = serde_json::from_slice(&std::fs::read(&three).unwrap()).unwrap();
    forged["voucher"]["count"] = 9.into();
    home.write("forged.json", forged.to_string());
    fails_with(home, &["channel", "redeem", "forged.json"], "BadVoucher");

    // The payer wants the rest; the pool still has time for its latest voucher.
    let five = voucher("5", "five.json");
    assert_eq!(home.ok(["channel", "close", channel])["open"], true);
    fails_with(home, &["channel", "close", channel], "NotClosable");
    assert_eq!(machine.home.ok(["channel", "redeem", &five])["paid"], 2);
    rpc::travel(chain(&network), CHANNEL_DISPUTE_S + 1);
    assert_eq!(home.ok(["channel", "close", channel])["open"], false);
    let account = home.ok(["account", "show"]);
    // Five tasks paid their pool; the app belongs to the payer.
    assert_eq!((&account["available"], &account["locked"]), (&tokens(25), &tokens(0)), "{account}");
    assert_eq!(home.ok(["channel", "show", channel])["open"], false);

    // The pool closes at once.
    let second = home.ok(["channel", "open", "nothing", "--tasks", "4"]);
    assert_eq!(machine.home.ok(["channel", "close", text(&second["channel"])])["open"], false);
    assert_eq!(home.ok(["account", "show"])["available"], tokens(25));
}

#[test]
fn tasks_of_a_channel_stay_off_chain_until_the_last_voucher_pays_them_all() {
    let (network, machine, _worker) = with_worker();
    let home = &network.home;
    let opened = home.ok(["channel", "open", "nothing", "--tasks", "3"]);
    let channel = text(&opened["channel"]);
    let block = || rpc::call(chain(&network), "eth_blockNumber", &serde_json::json!([]));
    let before = block();
    for (task, receipt) in ["first.json", "second.json"].into_iter().enumerate() {
        let tried = home.ok(["channel", "run", channel, "--dry-run"]);
        assert_eq!(tried["task"], task + 1, "{tried}");
        assert_eq!(tried["price"], opened["price"]);
        let done = home.ok(["channel", "run", channel, "--receipt", receipt]);
        assert_eq!(done["status"], "SUCCESS", "{done}");
        assert_eq!(home.ok(["verify", receipt])["valid"], true);
        // Whoever lost the answer gets it again.
        let fetched = home.ok(["channel", "fetch", channel, text(&done["task"]), "--receipt", "again.json"]);
        assert_eq!(fetched["status"], "SUCCESS", "{fetched}");
        assert_eq!(
            std::fs::read(home.path("again.json")).unwrap(),
            std::fs::read(home.path(receipt)).unwrap()
        );
    }
    fails_with(&machine.home, &["channel", "run", channel], "pays this channel");
    assert_eq!(block(), before, "nothing goes on chain for a task");
    assert_eq!(machine.home.ok(["account", "show"])["available"], tokens(0));

    home.ok(["channel", "run", channel]);
    eventually("the worker redeems the last voucher", || {
        (machine.home.ok(["account", "show"])["available"] == tokens(3)).then_some(())
    });
    fails_with(home, &["channel", "run", channel], "3 tasks");
    let account = home.ok(["account", "show"]);
    // The app belongs to the payer.
    assert_eq!((&account["available"], &account["locked"]), (&tokens(6), &tokens(0)), "{account}");
}

#[test]
fn a_request_for_the_old_policy_is_refused_once_an_update_took_effect() {
    let (network, _machine, _worker) = with_worker();
    let home = &network.home;
    let (app, pool) = (posted(home, "app"), posted(home, "pool"));
    sign_request(home, "first.json");
    sign_request(home, "second.json");
    let module = wat::parse_str(NOTHING).unwrap();
    let changed = project(home, "nothing", &module, "[limits]\nfuel = 5_000_000");
    let update = home.ok(["app", "update", "nothing", changed.to_str().unwrap()]);
    let inspected = home.ok(["inspect", "app", "nothing"]);
    assert_eq!(inspected["announced"]["policy"], update["policy"], "{inspected}");
    assert_eq!(inspected["announced"]["effective_at"], update["effective_at"]);

    // Until then the present policy counts; the deal keeps it.
    home.ok(["deal", "match", &app, &pool, "first.json"]);
    rpc::travel(chain(&network), APP_UPDATE_DELAY_S + 1);
    let mut request: Value =
        serde_json::from_slice(&std::fs::read(home.path("second.json")).unwrap()).unwrap();
    request["order"]["expiry"] = 10_000_000_000_u64.into();
    home.write("renewed.json", request.to_string());
    home.ok(["order", "sign", "file", "renewed.json", "--out", "late.json"]);
    fails_with(home, &["deal", "match", &app, &pool, "late.json"], "PolicyMismatch");
    let shown = home.ok(["order", "show", "late.json"]);
    assert_eq!((&shown["state"], &shown["current"]), (&"other-policy".into(), &update["policy"]), "{shown}");
    assert!(home.ok(["inspect", "app", "nothing"])["announced"].is_null());
    fails_with(home, &["app", "withdraw-update", "nothing"], "NothingAnnounced");
}

#[test]
fn a_claimed_name_works_everywhere() {
    let (network, machine, _worker) = with_worker();
    let home = &network.home;
    fails_with(home, &["app", "name", "commit", "Not-A-Name"], "BadName");
    home.ok(["app", "name", "commit", "nothing-at-all"]);
    fails_with(home, &["app", "name", "claim", "nothing-at-all", "nothing"], "NotClaimable");
    rpc::travel(chain(&network), NAME_CLAIM_DELAY_S + 1);
    let claimed = home.ok(["app", "name", "claim", "nothing-at-all", "nothing"]);
    // The worker's machine has published nothing.
    let inspected = machine.home.ok(["inspect", "app", "nothing-at-all"]);
    assert_eq!(inspected["app"], claimed["app"]);
    fails_with(&machine.home, &["app", "name", "commit", "nothing-at-all"], "NameTaken");
    home.ok(["app", "name", "release", "nothing-at-all"]);
    fails_with(&machine.home, &["inspect", "app", "nothing-at-all"], "nor a claimed name");
}
