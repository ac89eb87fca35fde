//! The enclave's side of the exchange with one CAS member.

use crate::{
    BoxError, SessionError, TlsError, TlsIdentity, client_config, exporter, identity::SERVER_NAME, peer_spki,
};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use sealwork_attest::{Requirements, Roots, appraise, verify};
use sealwork_seal::{Secret, sign};
use sealwork_types::{
    Address, AppId, PolicyHash,
    bounded::parse_json,
    cas_wire::{FromMember, Nonce, ToMember, cas_report_data, enclave_report_data},
    enclave_wire::{EvidenceFrame, GrantFrame, read_message, write_message},
    evidence::{Evidence, ReportData},
    network::TrustAnchors,
    params::EVIDENCE_MAX_AGE_S,
};
use std::{
    fmt,
    io::{self, Read, Write},
};

/// Largest message in either direction: evidence or a policy, and some room.
pub const MAX_MESSAGE_BYTES: usize = 192 * 1024;

/// Largest grant document.
const MAX_GRANT_BYTES: usize = 16 * 1024;

/// Who asks whom.
#[derive(Clone, Copy, Debug)]
pub struct Introduction<'a> {
    /// The enclave's TLS key.
    pub identity: &'a TlsIdentity,
    /// Whom the enclave trusts.
    pub anchors: &'a TrustAnchors,
    /// The member that must answer.
    pub member: Address,
    /// Address of the enclave's signing key.
    pub enclave: Address,
    /// Fresh random bytes; the member's evidence must carry them.
    pub nonce: Nonce,
    /// Seconds since 1970.
    pub now: u64,
}

/// A member's share of an app secret.
#[derive(Debug)]
pub struct Share {
    /// The share.
    pub secret: Secret<[u8; 32]>,
    /// Size of the member's release log with this release in it.
    pub log_size: u64,
}

/// A session in which member and enclave have appraised each other.
pub struct MemberSession<P: Read + Write> {
    established_at: u64,
    tls: StreamOwned<ClientConnection, P>,
}

impl<P: Read + Write> MemberSession<P> {
    /// Shakes hands over `pipe`, appraises the member, proves what the enclave is, and takes the grant.
    ///
    /// `quote` makes the enclave's own evidence; it is called once, and only after the member is found good.
    ///
    /// # Errors
    /// [`SessionError`]: the first thing that is wrong.
    pub fn connect(
        pipe: P,
        introduction: &Introduction<'_>,
        quote: &mut dyn FnMut(&ReportData) -> Result<Evidence, BoxError>,
    ) -> Result<(Self, GrantFrame), SessionError> {
        let mut session =
            Self { established_at: introduction.now, tls: handshake(pipe, introduction.identity)? };
        session.say(&ToMember::Hello { nonce: introduction.nonce })?;
        let FromMember::Challenge { evidence, nonce } = session.hear()? else {
            return Err(unexpected("Challenge", "another message"));
        };
        session.check_member(&evidence.into(), introduction)?;
        let Introduction { identity, anchors, enclave, .. } = introduction;
        let exporter = exporter(&session.tls.conn)?;
        let report_data = enclave_report_data(identity.spki(), &nonce, &exporter, *enclave, anchors.digest());
        let evidence = EvidenceFrame::from(quote(&report_data).map_err(SessionError::Quote)?);
        session.say(&ToMember::Prove { evidence, enclave: *enclave })?;
        let FromMember::Granted { grant } = session.hear()? else {
            return Err(unexpected("Granted", "another message"));
        };
        let grant = check_grant(&grant, introduction)?;
        Ok((session, grant))
    }

    /// Asks for the member's share of an app secret. `policy` are the bytes whose SHA-256 is `policy_hash`.
    ///
    /// # Errors
    /// [`SessionError`]; after a denial the session can go on.
    pub fn release(
        &mut self,
        app: AppId,
        policy_hash: PolicyHash,
        key_epoch: u32,
        policy: &[u8],
    ) -> Result<Share, SessionError> {
        self.say(&ToMember::Release {
            app: app.get().0,
            policy_hash: policy_hash.get().0,
            key_epoch,
            policy: policy.to_vec(),
        })?;
        let FromMember::Released { share, log_size } = self.hear()? else {
            return Err(unexpected("Released", "another message"));
        };
        Ok(Share { secret: Secret::new(share), log_size })
    }

    /// When the evidence of this session was made, seconds since 1970. Members deny releases in sessions that are
    /// older than the policy's `max_evidence_age_s`, and close them when they are older than the protocol's maximum.
    pub const fn established_at(&self) -> u64 {
        self.established_at
    }

    fn check_member(&self, evidence: &Evidence, introduction: &Introduction<'_>) -> Result<(), SessionError> {
        let Introduction { anchors, member, nonce, now, .. } = introduction;
        let claims = verify(evidence, &Roots::from(*anchors), *now)?;
        let spki = peer_spki(&self.tls.conn)?;
        let expected = cas_report_data(&spki, nonce, &exporter(&self.tls.conn)?, *member, anchors.digest());
        let asked = Requirements {
            accepted: &anchors.cas_enclaves,
            max_age_s: EVIDENCE_MAX_AGE_S,
            allow_debug: false,
            development: anchors.is_development(),
            report_data: Some(&expected),
        };
        appraise(&claims, &asked, *now)?;
        Ok(())
    }

    fn say(&mut self, message: &ToMember) -> Result<(), SessionError> {
        Ok(write_message(&mut self.tls, message)?)
    }

    /// The next message; a denial is an error.
    fn hear(&mut self) -> Result<FromMember, SessionError> {
        match read_message(&mut self.tls)? {
            FromMember::Denied { rule, detail } => Err(SessionError::Denied { rule, detail }),
            message @ (FromMember::Challenge { .. }
            | FromMember::Granted { .. }
            | FromMember::Released { .. }) => Ok(message),
        }
    }
}

impl<P: Read + Write> fmt::Debug for MemberSession<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberSession(..)")
    }
}

fn handshake<P: Read + Write>(
    mut pipe: P,
    identity: &TlsIdentity,
) -> Result<StreamOwned<ClientConnection, P>, SessionError> {
    let name = ServerName::try_from(SERVER_NAME).expect("a constant that is a valid DNS name");
    let mut connection = ClientConnection::new(client_config(identity)?, name)
        .map_err(|source| TlsError::Rustls { action: "start a TLS session", source })?;
    while connection.is_handshaking() {
        let (read, written) = connection.complete_io(&mut pipe).map_err(SessionError::Handshake)?;
        if read + written == 0 {
            return Err(SessionError::Handshake(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Ok(StreamOwned::new(connection, pipe))
}

/// Reads a grant and checks that this member made it for this key.
fn check_grant(bytes: &[u8], introduction: &Introduction<'_>) -> Result<GrantFrame, SessionError> {
    let frame: GrantFrame = parse_json("grant", bytes, MAX_GRANT_BYTES)
        .map_err(|error| unexpected("a grant document", error.to_string()))?;
    let grant = &frame.grant;
    if grant.enclave != introduction.enclave {
        return Err(unexpected("a grant for this enclave's key", format!("one for {}", grant.enclave)));
    }
    if grant.expiry <= introduction.now {
        return Err(unexpected("a grant that is valid now", format!("one until {}", grant.expiry)));
    }
    let [signature] = &frame.signatures[..] else {
        return Err(unexpected("one signature", format!("{}", frame.signatures.len())));
    };
    match sign::recover(&introduction.anchors.domain, grant, signature) {
        Ok(signer) if signer == introduction.member => Ok(frame),
        Ok(signer) => Err(unexpected("a grant signed by the member", format!("one signed by {signer}"))),
        Err(error) => Err(unexpected("a grant signed by the member", error.to_string())),
    }
}

fn unexpected(expected: &'static str, found: impl Into<String>) -> SessionError {
    SessionError::Unexpected { expected, found: found.into() }
}
