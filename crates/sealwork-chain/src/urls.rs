//! From a URL to the way there, and what of it may be shown.

use crate::{ChainError, member::Address as At, ws};
use alloy_provider::{Provider, ProviderBuilder, RootProvider};
use alloy_transport::IntoBoxTransport;
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait for an answer over HTTP, whoever waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The way to a URL.
pub(crate) fn reach(url: &str) -> Result<At, ChainError> {
    let wrong = || ChainError::Url { url: url.to_owned() };
    let parsed: reqwest::Url = url.parse().map_err(|_| wrong())?;
    let (name, secrets) = (redacted(&parsed), spellings(&parsed));
    let local = is_loopback(&parsed);
    match parsed.scheme() {
        "http" | "https" => {}
        "ws" | "wss" => {
            let link = ws::link(&parsed)?;
            let transport = link.clone().into_box_transport();
            return Ok(At { name, secrets, transport, local, link: Some(link) });
        }
        _ => return Err(wrong()),
    }
    let client = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).timeout(ANSWER_WITHIN).build();
    let client = client.map_err(|_| wrong())?;
    let link = if local { ws::beside(&parsed) } else { None };
    let provider: RootProvider = ProviderBuilder::default().connect_reqwest(client, parsed);
    Ok(At { name, secrets, transport: provider.client().transport().clone(), local, link })
}

/// An address without what may be secret in it: user, password, path and query.
pub(crate) fn redacted(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let rest = if matches!(url.path(), "" | "/") && url.query().is_none() { "" } else { "/…" };
    format!("{}://{host}{port}{rest}", url.scheme())
}

/// Whether an address is of this machine.
fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    host == "localhost" || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The ways in which an error may spell an address, the longest first.
fn spellings(url: &reqwest::Url) -> Vec<String> {
    let mut bare = url.clone();
    // Addresses that can have no user have none to hide.
    let _ = (bare.set_username(""), bare.set_password(None));
    vec![url.to_string(), bare.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;
    use alloy_signer_local::PrivateKeySigner;

    #[test]
    fn names_show_no_credentials() {
        for (url, shown) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("https://node.example/v3/0123456789", "https://node.example/…"),
            ("wss://me:secret@node.example:444/?key=1", "wss://node.example:444/…"),
        ] {
            assert_eq!(redacted(&url.parse().unwrap()), shown);
        }
    }

    #[test]
    fn addresses_of_this_machine_are_known() {
        for (url, local) in [
            ("http://127.0.0.1:8545", true),
            ("http://[::1]:8545", true),
            ("http://localhost", true),
            ("https://127.0.0.1.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), local, "{url}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_says_nothing_is_not_waited_for_for_ever() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let connecting = Endpoint::connect(&url, PrivateKeySigner::random());
        let error = tokio::time::timeout(ANSWER_WITHIN * 2, connecting).await.expect("in time").unwrap_err();
        assert!(matches!(error, ChainError::Endpoint { method: "eth_chainId", .. }), "{error}");
    }
}
