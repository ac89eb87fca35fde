//! The rules of a member, without any socket.

use crate::{
    CasError, MemberConfig, ServeLimits,
    denial::{Denial, Failure},
    log::ReleaseLog,
    rate_limit::RateLimiter,
    secret_file,
    session::blocking,
};
use sealwork_attest::{Requirements, Roots, appraise, verify};
use sealwork_ports::{Chain, Clock, ErrorKind, PortError, QuoteProvider};
use sealwork_ratls::{
    TlsIdentity,
    keys::{AppKeyName, app_identity, app_share, combine_shares},
};
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_types::{
    AppId, B256, PolicyHash,
    abi::{LogHead, RecipientCertificate},
    cas_wire::{
        DenialRule, LogEntry, MemberEvidence, MemberInfo, Nonce, SignedLogHead, SignedRecipient,
        cas_report_data,
    },
    evidence::{Evidence, ReportData},
    network::TrustAnchors,
    params::EVIDENCE_MAX_AGE_S,
    policy::AcceptedEnclave,
};
use std::{fmt, fs, os::unix::fs::DirBuilderExt, sync::Arc, time::Duration};

mod grant;
mod release;

pub(crate) use grant::{Claimed, Proven};
pub(crate) use release::ReleaseRequest;

/// The only key epoch until rotation exists.
const KEY_EPOCH: u32 = 0;
/// How long the chain may take to answer.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// One member of the cluster.
pub struct Member {
    key: SigningKey,
    secret: Secret<[u8; 32]>,
    identity: TlsIdentity,
    anchors: TrustAnchors,
    anchors_digest: B256,
    roots: Roots,
    log: Arc<ReleaseLog>,
    quote: Arc<dyn QuoteProvider>,
    chain: Arc<dyn Chain>,
    clock: Arc<dyn Clock>,
    grantable: Vec<AcceptedEnclave>,
    grant_debuggable: bool,
    limiter: RateLimiter,
    pub(crate) serve: ServeLimits,
}

impl Member {
    /// Starts a member: reads or makes its secret, opens its log, and checks that enclaves will accept it. Blocks.
    ///
    /// # Errors
    /// [`CasError`]: the first thing that is wrong.
    pub fn open(config: MemberConfig) -> Result<Arc<Self>, CasError> {
        check_config(&config)?;
        let state = &config.state_dir;
        let wrap = |source| CasError::State { action: "create folder", path: state.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(wrap)?;
        let member = Self {
            secret: secret_file::load_or_create(&state.join("member.secret"))?,
            log: Arc::new(ReleaseLog::open(&state.join("release-log.redb"))?),
            identity: TlsIdentity::generate()?,
            anchors_digest: config.anchors.digest(),
            roots: Roots::from(&config.anchors),
            limiter: RateLimiter::new(config.rate_limit),
            key: config.signing_key,
            anchors: config.anchors,
            quote: config.quote,
            chain: config.chain,
            clock: config.clock,
            grantable: config.grantable,
            grant_debuggable: config.grant_debuggable,
            serve: config.serve,
        };
        member.check_own_evidence()?;
        Ok(Arc::new(member))
    }

    /// Who this member is.
    pub fn info(&self) -> MemberInfo {
        MemberInfo {
            address: self.key.address(),
            anchors: self.anchors_digest,
            key_epoch: KEY_EPOCH,
            software: concat!("sealwork/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Evidence about this member over a client's nonce. Blocks for milliseconds.
    ///
    /// # Errors
    /// [`PortError`] of the platform.
    pub fn evidence(&self, nonce: &Nonce) -> Result<MemberEvidence, PortError> {
        Ok(MemberEvidence { evidence: self.quote.quote(&self.report_data(&[], nonce, &[0; 32]))? })
    }

    /// Evidence about this member for one TLS session. Blocks for milliseconds.
    pub(crate) fn session_evidence(&self, nonce: &Nonce, exporter: &[u8; 32]) -> Result<Evidence, CasError> {
        let report_data = self.report_data(self.identity.spki(), nonce, exporter);
        self.quote.quote(&report_data).map_err(CasError::Quote)
    }

    /// The app's sealing key under the policy that is registered on chain, signed by this member.
    ///
    /// # Errors
    /// [`Denial`] `Registration` or `ChainUnavailable`.
    pub(crate) async fn recipient(
        &self,
        app: AppId,
        policy_hash: PolicyHash,
    ) -> Result<SignedRecipient, Denial> {
        self.check_registered(app, policy_hash).await?;
        let secret = combine_shares(&[app_share(&self.secret, &self.key_name(app, policy_hash))]);
        let recipient = app_identity(&secret).recipient();
        let certificate = RecipientCertificate {
            app: app.get(),
            policyHash: policy_hash.get(),
            keyEpoch: KEY_EPOCH,
            recipient: recipient.digest(),
        };
        let signature = self.key.sign(&self.anchors.domain, &certificate);
        Ok(SignedRecipient { certificate, recipient: recipient.as_bytes().to_vec().into(), signature })
    }

    /// Newest head of the release log, signed now.
    ///
    /// # Errors
    /// [`CasError::Log`].
    pub fn log_head(&self) -> Result<SignedLogHead, CasError> {
        let (size, root) = self.log.head()?;
        let head = LogHead { size, root, timestamp: self.clock.unix_s() };
        let signature = self.key.sign(&self.anchors.domain, &head);
        Ok(SignedLogHead { head, signature })
    }

    /// Entries `[from, from + count)` of the release log, fewer at the end.
    ///
    /// # Errors
    /// [`CasError::Log`].
    pub fn log_entries(&self, from: u64, count: u64) -> Result<Vec<LogEntry>, CasError> {
        Ok(self.log.entries(from, count)?)
    }

    pub(crate) fn log(&self) -> &ReleaseLog {
        &self.log
    }

    pub(crate) const fn identity(&self) -> &TlsIdentity {
        &self.identity
    }

    fn report_data(&self, tls_key: &[u8], nonce: &Nonce, exporter: &[u8; 32]) -> ReportData {
        cas_report_data(tls_key, nonce, exporter, self.key.address(), self.anchors_digest)
    }

    const fn key_name(&self, app: AppId, policy_hash: PolicyHash) -> AppKeyName {
        AppKeyName { domain: self.anchors.domain, app, policy_hash, key_epoch: KEY_EPOCH }
    }

    /// Whether the chain has the app with exactly this policy.
    async fn check_registered(&self, app: AppId, policy_hash: PolicyHash) -> Result<(), Denial> {
        let asked = tokio::time::timeout(CHAIN_TIMEOUT, self.chain.app(app)).await;
        let late = || PortError::new(ErrorKind::Unavailable, format!("no answer within {CHAIN_TIMEOUT:?}"));
        let registered = asked.unwrap_or_else(|_| Err(late())).map_err(|error| Denial::by_chain(&error))?;
        if registered.policyHash == policy_hash.get() {
            return Ok(());
        }
        let found = registered.policyHash;
        let detail = format!("app {app} is registered with policy {found}, not {policy_hash}");
        Err(Denial::new(DenialRule::Registration, detail))
    }

    /// Appends to the log; when this returns, the entry survives a crash.
    async fn append(&self, entry: LogEntry) -> Result<u64, Failure> {
        let log = Arc::clone(&self.log);
        Ok(blocking(move || log.append(entry)).await?)
    }

    fn check_own_evidence(&self) -> Result<(), CasError> {
        let now = self.clock.unix_s();
        let evidence = self.evidence(&[0; 32]).map_err(CasError::Quote)?.evidence;
        let refused = |error: &dyn std::error::Error| CasError::NotAcceptable { problem: error.to_string() };
        let claims = verify(&evidence, &self.roots, now).map_err(|error| refused(&error))?;
        let report_data = self.report_data(&[], &[0; 32], &[0; 32]);
        let asked = Requirements {
            accepted: &self.anchors.cas_enclaves,
            max_age_s: EVIDENCE_MAX_AGE_S,
            allow_debug: false,
            development: self.anchors.is_development(),
            report_data: Some(&report_data),
        };
        appraise(&claims, &asked, now).map(drop).map_err(|error| refused(&error))
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("address", &self.key.address()).finish_non_exhaustive()
    }
}

fn check_config(config: &MemberConfig) -> Result<(), CasError> {
    let anchors = &config.anchors;
    let wrong = |field, problem: String| Err(CasError::Config { field, problem });
    let address = config.signing_key.address();
    if !anchors.cas_members.contains(&address) {
        return Err(CasError::NotAMember { found: address, expected: anchors.cas_members.clone() });
    }
    if anchors.cas_members.len() != 1 || anchors.cas_threshold != 1 {
        let (members, threshold) = (anchors.cas_members.len(), anchors.cas_threshold);
        return wrong(
            "anchors",
            format!("ask for {threshold} of {members} members, this version runs 1 of 1"),
        );
    }
    let domain = config.chain.deployment().domain;
    if domain != anchors.domain {
        let (found, expected) = (domain, anchors.domain);
        return wrong("chain", format!("is deployment {found:?}, the anchors name {expected:?}"));
    }
    if config.grantable.is_empty() {
        return wrong("grantable", "is empty, name at least one enclave measurement".to_owned());
    }
    Ok(())
}
