//! Prepaid channels: opened by a match, paid by vouchers off chain, redeemed by the pool whenever it wants.

use crate::{
    AppView, Client, ClientError, DealRecord, Plan, Proposal, Settlement, offers::Wanted, orders::rejected,
};
use sealwork_seal::sign;
use sealwork_types::{
    Bytes, DealId, PoolId, U256,
    abi::{
        IChannels::{closableAtCall, closeCall, redeemCall, startClosingCall},
        RequestOrder, Voucher,
    },
    bounded::{DocumentError, parse_json},
    order::{SigningDomain, TrustMode},
};
use serde::{Deserialize, Serialize};

/// Largest voucher document that is read.
pub const MAX_VOUCHER_DOCUMENT_BYTES: usize = 16 * 1024;

/// What the payer of a channel gives the pool: tasks up to a number are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherDocument {
    /// Format version, 1.
    pub version: u16,
    /// Chain and market.
    pub domain: SigningDomain,
    /// Channel and number of tasks, from the first on.
    pub voucher: Voucher,
    /// By the payer.
    pub signature: Bytes,
}

impl VoucherDocument {
    /// Version that is written and read.
    pub const VERSION: u16 = 1;

    /// Reads a document of at most [`MAX_VOUCHER_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        const KIND: &str = "voucher document";
        let document: Self = parse_json(KIND, bytes, MAX_VOUCHER_DOCUMENT_BYTES)?;
        if document.version != Self::VERSION {
            let problem = format!("is {}, this version reads {}", document.version, Self::VERSION);
            return Err(DocumentError::Value { kind: KIND, field: "version", problem });
        }
        Ok(document)
    }

    /// The channel.
    pub const fn deal(&self) -> DealId {
        DealId::new(self.voucher.dealId)
    }
}

/// Where a channel stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelStatus {
    /// Channel.
    pub deal: DealId,
    /// Tasks paid in advance.
    pub volume: u32,
    /// Tasks that this wallet signed vouchers for on this machine.
    pub signed: u32,
    /// Tasks redeemed, or all when it is closed.
    pub closed: u32,
    /// Whether money is still in it.
    pub open: bool,
    /// When anybody may close it, seconds since 1970; zero unless its payer asked for the rest.
    pub closable_at: u64,
    /// Price of one task, smallest token units.
    pub price: U256,
}

impl Client {
    /// Opens a channel for `volume` tasks with the cheapest pool that offers the mode.
    ///
    /// # Errors
    /// [`ClientError::NoOrder`] when no pool offers channels; `Rejected` when the offers cover fewer tasks or money is
    /// missing.
    pub async fn open_channel_plan(
        &self,
        app: &AppView,
        pool: Option<PoolId>,
        volume: u32,
        expiry: u64,
    ) -> Result<(DealId, Plan), ClientError> {
        // Offers of fewer tasks than are wanted are told apart by the market, which names the volume that is left.
        let (mode, settlement) = (TrustMode::Channel, Settlement::Deal);
        let wanted = Wanted { pool, max_price: None, mode, settlement, volume: 1 };
        let offers = self.choose_offers(app, &wanted).await?;
        let request = RequestOrder {
            appMaxPrice: offers.app.order.price,
            poolRestrict: offers.pool.order.pool,
            poolMaxPrice: offers.pool.order.price,
            tag: offers.app.order.tag,
            category: offers.pool.order.category,
            volume,
            mode: TrustMode::Channel.code(),
            ..self.request(app.id, expiry).await?
        };
        let signature = self.key.sign(&self.network.anchors.domain, &request);
        let proposal = Proposal {
            app: (offers.app.order, offers.app.signature),
            pool: (offers.pool.order, offers.pool.signature),
            request: (request, signature),
            datasets: Vec::new(),
            memberships: Vec::new(),
        };
        let left = self.volume_left(&proposal, 0).await?;
        if left < volume {
            let text = format!(
                "the offers cover {left} tasks, not {volume}; open a smaller channel or choose another pool"
            );
            return Err(rejected(text));
        }
        self.match_plan(&proposal, true).await
    }

    /// Acknowledges the first `count` tasks of a channel that this wallet pays.
    ///
    /// # Errors
    /// `Rejected` when the deal is no channel of this wallet or has fewer tasks.
    pub fn sign_voucher(&self, record: &DealRecord, count: u32) -> Result<VoucherDocument, ClientError> {
        self.check_count(record, count)?;
        self.parts.vouchers.allow(record.id, count)?;
        Ok(self.voucher(record.id, count))
    }

    /// As [`Client::sign_voucher`], for the task that comes next as the pool says: at most one more than were signed for.
    pub(crate) fn sign_next(&self, record: &DealRecord, count: u32) -> Result<Bytes, ClientError> {
        self.check_count(record, count)?;
        self.parts.vouchers.advance(record.id, count)?;
        Ok(self.voucher(record.id, count).signature)
    }

    fn voucher(&self, channel: DealId, count: u32) -> VoucherDocument {
        let domain = self.network.anchors.domain;
        let voucher = Voucher { dealId: channel.get(), count };
        let signature = self.key.sign(&domain, &voucher);
        VoucherDocument { version: VoucherDocument::VERSION, domain, voucher, signature }
    }

    /// Whether this wallet pays the channel.
    pub(crate) fn check_payer(&self, record: &DealRecord) -> Result<(), ClientError> {
        let payer = channel(record)?.deal.terms.payer;
        if payer == self.address() {
            return Ok(());
        }
        let text =
            format!("{payer} pays this channel, not {}; choose its wallet with --wallet", self.address());
        Err(rejected(text))
    }

    fn check_count(&self, record: &DealRecord, count: u32) -> Result<(), ClientError> {
        self.check_payer(record)?;
        let volume = record.deal.volume;
        if count == 0 || count > volume {
            return Err(rejected(format!("the channel is for {volume} tasks, the voucher for {count}")));
        }
        Ok(())
    }

    /// Checks that a voucher is the payer's and for this channel. A payer that is a contract is left to the chain.
    ///
    /// # Errors
    /// `Rejected` with what does not hold.
    pub fn check_voucher(&self, record: &DealRecord, document: &VoucherDocument) -> Result<(), ClientError> {
        let payer = channel(record)?.deal.terms.payer;
        if document.domain != self.network.anchors.domain {
            return Err(rejected("the voucher is for another chain or market".into()));
        }
        if document.deal() != record.id {
            return Err(rejected(format!("the voucher is for channel {}", document.deal())));
        }
        let signer = sign::recover(&document.domain, &document.voucher, &document.signature).ok();
        if document.signature.len() == sign::SIGNATURE_BYTES && signer.is_some_and(|signer| signer != payer) {
            let text = format!("the voucher is not signed by the payer {payer} (BadVoucher)");
            return Err(rejected(text));
        }
        Ok(())
    }

    /// Pays the tasks that a voucher covers and that are not paid yet. Anybody may send it.
    ///
    /// # Errors
    /// As [`Client::check_voucher`].
    pub fn redeem_plan(&self, record: &DealRecord, document: &VoucherDocument) -> Result<Plan, ClientError> {
        self.check_voucher(record, document)?;
        let call = redeemCall {
            terms: record.deal.terms.clone(),
            count: document.voucher.count,
            signature: document.signature.clone(),
        };
        let what = format!("redeem the voucher for {} tasks", document.voucher.count);
        Ok(Plan::of(what, self.network.contracts.channels, &call))
    }

    /// The next step to the end of a channel: the pool closes it at once, the payer asks first and closes after the
    /// window.
    ///
    /// # Errors
    /// `Rejected` when the deal is no channel, and while the window is open.
    pub async fn close_channel_plan(&self, record: &DealRecord) -> Result<Plan, ClientError> {
        let terms = channel(record)?.deal.terms.clone();
        if !self.channel_status(record).await?.open {
            return Err(rejected(format!("channel {} is closed, nothing is left in it", record.id.short())));
        }
        let to = self.network.contracts.channels;
        let closable_at = self.closable_at(record.id).await?;
        let now = self.now().await?;
        let closing = || Plan::of("close the channel", to, &closeCall { terms: terms.clone() });
        if terms.poolOwner == self.address() || (closable_at != 0 && closable_at <= now) {
            return Ok(closing());
        }
        if closable_at != 0 {
            let left = closable_at.saturating_sub(now);
            let text = format!(
                "the pool may bring vouchers until {closable_at} (NotClosable); close it in {left} s"
            );
            return Err(rejected(text));
        }
        Ok(Plan::of("ask for the rest of the channel", to, &startClosingCall { terms: terms.clone() }))
    }

    /// Where a channel stands.
    ///
    /// # Errors
    /// `Rejected` when the deal is no channel.
    pub async fn channel_status(&self, record: &DealRecord) -> Result<ChannelStatus, ClientError> {
        let deal = &channel(record)?.deal;
        // A finished deal of a whole request is forgotten.
        let progress = match self.parts.chain.deal(record.id).await {
            Ok(progress) => progress.closed,
            Err(error) if error.kind == sealwork_ports::ErrorKind::NotFound => deal.volume,
            Err(error) => return Err(error.into()),
        };
        Ok(ChannelStatus {
            deal: record.id,
            volume: deal.volume,
            signed: self.parts.vouchers.last(record.id)?,
            closed: progress,
            open: progress < deal.volume,
            closable_at: self.closable_at(record.id).await?,
            price: deal.price(),
        })
    }

    async fn closable_at(&self, deal: DealId) -> Result<u64, ClientError> {
        self.view(self.network.contracts.channels, &closableAtCall { dealId: deal.get() }).await
    }
}

pub(crate) fn channel(record: &DealRecord) -> Result<&DealRecord, ClientError> {
    if record.deal.terms.mode == TrustMode::Channel.code() {
        return Ok(record);
    }
    Err(rejected(format!("deal {} is no channel; `sealwork channel open` opens one", record.id)))
}
