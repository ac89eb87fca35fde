//! A deployment whose parties have used it before, and the samples.

use crate::{
    Outcome,
    parties::{Parties, Party, price},
};
use alloy_primitives::aliases::U96;
use alloy_sol_types::{SolCall, SolStruct};
use sealwork_chain::{DeployOptions, deploy};
use sealwork_types::{
    Address, B256, Bytes, Cid, Codec, OrderHash, U256,
    abi::{
        AppOrder, DatasetOrder, DatasetShare, DealTerms, Effects, Grant,
        IAttestations::registerCall,
        IMarket::{depositCall, executeCall, matchOrdersCall, setFeeCall, settleCall},
        IRegistry::{registerAppCall, registerDatasetCall, registerPoolCall},
        IToken, Orders, Outcome as TaskOutcome, PoolOrder, Receipt, RequestOrder,
    },
    deal::{effects, outcome, work},
    network::Contracts,
    order::{SigningDomain, TaskParams, deal_id},
};
use std::collections::BTreeMap;

/// Offers without a limit are not written to by a match; the last row shows what a limit costs.
const UNLIMITED: u32 = u32::MAX;
const NO_EXPIRY: u64 = u64::MAX;
/// Bytes that an oracle's contract is told.
const CALLBACK: [u8; 32] = [7; 32];

pub(crate) struct Market {
    pub(crate) parties: Parties,
    pub(crate) contracts: Contracts,
    pub(crate) domain: SigningDomain,
    pub(crate) app: B256,
    pub(crate) pool: B256,
    pub(crate) dataset: B256,
    /// Counts the salts of the requester's orders up.
    salts: u8,
    /// The protocol's fee, in hundredths of a percent.
    fee_bps: u16,
    samples: BTreeMap<&'static str, Vec<u64>>,
}

impl Market {
    pub(crate) async fn deploy(rpc: &str) -> Outcome<Self> {
        let parties = Parties::new(rpc).await?;
        let options = DeployOptions {
            token: None,
            fee_recipient: Address::repeat_byte(0xfe),
            fee_bps: 0,
            cas_members: vec![parties.governor.address()],
            cas_threshold: 1,
        };
        let (contracts, _) = deploy(&parties.governor.endpoint, &options).await?;
        let domain =
            SigningDomain { chain_id: parties.governor.endpoint.chain_id(), market: contracts.market };
        let samples = BTreeMap::new();
        let none = B256::ZERO;
        let mut market = Self {
            parties,
            contracts,
            domain,
            app: none,
            pool: none,
            dataset: none,
            salts: 0,
            fee_bps: 0,
            samples,
        };
        market.app = market.register_app(1).await?.0;
        market.pool = market.register_pool(1).await?.0;
        market.dataset = market.register_dataset(1).await?.0;
        market.fund().await?;
        market.grant(B256::repeat_byte(0x11), B256::repeat_byte(0x22), market.parties.enclave()).await?;
        Ok(market)
    }

    pub(crate) async fn set_fee(&mut self, fee_bps: u16) -> Outcome<()> {
        let call = setFeeCall { feeBps: fee_bps };
        self.send(&self.parties.governor, self.contracts.market, &call).await?;
        self.fee_bps = fee_bps;
        Ok(())
    }

    pub(crate) fn note(&mut self, name: &'static str, gas: u64) {
        self.samples.entry(name).or_default().push(gas);
    }

    pub(crate) const fn samples(&self) -> &BTreeMap<&'static str, Vec<u64>> {
        &self.samples
    }

    pub(crate) async fn register_app(&self, seed: u8) -> Outcome<(B256, u64)> {
        let call = registerAppCall {
            owner: self.parties.developer.address(),
            manifestHash: B256::repeat_byte(seed),
            codeHash: B256::repeat_byte(0xc0),
            policyHash: B256::repeat_byte(0xb0),
            name: "cohort".to_owned(),
        };
        self.registered(&self.parties.developer, &call).await
    }

    pub(crate) async fn register_dataset(&self, seed: u8) -> Outcome<(B256, u64)> {
        let call = registerDatasetCall {
            owner: self.parties.developer.address(),
            manifestHash: B256::repeat_byte(seed),
            contentDigest: B256::repeat_byte(0xd0),
        };
        self.registered(&self.parties.developer, &call).await
    }

    pub(crate) async fn register_pool(&self, seed: u8) -> Outcome<(B256, u64)> {
        let owner = self.parties.pool.address();
        let call = registerPoolCall { owner, manifestHash: B256::repeat_byte(seed) };
        self.registered(&self.parties.pool, &call).await
    }

    async fn registered<C: SolCall<Return = B256>>(&self, party: &Party, call: &C) -> Outcome<(B256, u64)> {
        let id =
            C::abi_decode_returns(&party.endpoint.call(self.contracts.registry, call.abi_encode()).await?)?;
        Ok((id, self.send(party, self.contracts.registry, call).await?))
    }

    async fn fund(&self) -> Outcome<()> {
        let million = U256::from(price(10_000_000_000));
        for party in [&self.parties.requester, &self.parties.pool, &self.parties.developer] {
            let mint = IToken::mintCall { to: party.address(), amount: million };
            self.send(party, self.contracts.token, &mint).await?;
            let approve = IToken::approveCall { spender: self.contracts.market, amount: U256::MAX };
            self.send(party, self.contracts.token, &approve).await?;
            let deposit = depositCall { amount: million / U256::from(2) };
            self.send(party, self.contracts.market, &deposit).await?;
        }
        Ok(())
    }

    /// Registers an enclave key; the gas of it.
    pub(crate) async fn grant(&self, measurement: B256, hardware: B256, enclave: Address) -> Outcome<u64> {
        let (_, now) = self.parties.governor.endpoint.head().await?;
        let grant = Grant { enclave, measurement, tee: 0, hardwareId: hardware, expiry: now + 86_000 };
        let signature = self.parties.governor.sign(&self.domain, &grant)?;
        let call = registerCall { grant, signatures: vec![signature] };
        self.send(&self.parties.governor, self.contracts.attestations, &call).await
    }

    pub(crate) async fn send<C: SolCall>(&self, party: &Party, to: Address, call: &C) -> Outcome<u64> {
        Ok(party.endpoint.send(Some(to), call.abi_encode()).await?.gas_used)
    }

    /// Orders for `volume` tasks, signed by everybody.
    pub(crate) fn orders(&mut self, volume: u32, stake: U96, callback: Option<Address>) -> Outcome<Orders> {
        self.salts = self.salts.wrapping_add(1);
        let mut salt = B256::repeat_byte(0x5a);
        salt.0[31] = self.salts;
        let params = TaskParams {
            input_cid: Cid::new(Codec::Raw, B256::repeat_byte(0x31)),
            input_digest: B256::repeat_byte(0x32),
        };
        let request = RequestOrder {
            app: self.app,
            codeHash: B256::repeat_byte(0xc0),
            policyHash: B256::repeat_byte(0xb0),
            appMaxPrice: price(300),
            datasets: Vec::new(),
            datasetMaxPrice: price(70),
            poolRestrict: B256::ZERO,
            poolMaxPrice: price(1_000),
            minStake: U96::ZERO,
            requester: self.parties.requester.address(),
            sponsor: Address::ZERO,
            outputRecipient: B256::repeat_byte(0x33),
            volume,
            tag: B256::ZERO,
            category: 1,
            trust: 0,
            mode: 0,
            callback: callback.unwrap_or_default(),
            callbackGas: if callback.is_some() { 50_000 } else { 0 },
            params: params.to_bytes().into(),
            requirements: B256::ZERO,
            expiry: NO_EXPIRY,
            nonce: 0,
            salt,
        };
        self.signed(self.app_order(UNLIMITED), self.pool_order(UNLIMITED, stake), request, Vec::new())
    }

    pub(crate) fn app_order(&self, volume: u32) -> AppOrder {
        AppOrder {
            app: self.app,
            price: price(300),
            volume,
            tag: B256::ZERO,
            datasetRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry: NO_EXPIRY,
            nonce: 0,
            salt: B256::ZERO,
        }
    }

    pub(crate) fn pool_order(&self, volume: u32, stake: U96) -> PoolOrder {
        PoolOrder {
            pool: self.pool,
            price: price(1_000),
            stake,
            volume,
            // The pool calls back: bit 16.
            tag: B256::from(U256::from(1_u64 << 16)),
            category: 1,
            trust: 0,
            modes: 0b10_0001,
            offer: B256::repeat_byte(0x0f),
            appRestrict: B256::ZERO,
            datasetRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry: NO_EXPIRY,
            nonce: 0,
            salt: B256::ZERO,
        }
    }

    pub(crate) fn dataset_order(&self) -> DatasetOrder {
        DatasetOrder {
            dataset: self.dataset,
            price: price(70),
            volume: UNLIMITED,
            tag: B256::ZERO,
            appRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry: NO_EXPIRY,
            nonce: 0,
            salt: B256::ZERO,
        }
    }

    /// Signs everything again.
    pub(crate) fn signed(
        &self,
        app: AppOrder,
        pool: PoolOrder,
        mut request: RequestOrder,
        datasets: Vec<DatasetOrder>,
    ) -> Outcome<Orders> {
        request.datasets = datasets.iter().map(|order| order.dataset).collect();
        let parties = &self.parties;
        Ok(Orders {
            appSignature: parties.developer.sign(&self.domain, &app)?,
            poolSignature: parties.pool.sign(&self.domain, &pool)?,
            requestSignature: parties.requester.sign(&self.domain, &request)?,
            datasetSignatures: datasets
                .iter()
                .map(|order| parties.developer.sign(&self.domain, order))
                .collect::<Outcome<_>>()?,
            app,
            pool,
            request,
            datasets,
            memberships: Vec::new(),
        })
    }

    /// Matches, as the requester; the gas of it and the terms.
    pub(crate) async fn match_orders(&self, orders: &Orders) -> Outcome<(u64, DealTerms)> {
        let call = matchOrdersCall { orders: orders.clone() };
        let input = call.abi_encode();
        let sent = self.parties.requester.endpoint.send(Some(self.contracts.market), input).await?;
        Ok((sent.gas_used, self.terms(orders).await?))
    }

    /// Terms of the deal that was matched in the newest block.
    pub(crate) async fn terms(&self, orders: &Orders) -> Outcome<DealTerms> {
        let developer = self.parties.developer.address();
        let datasets = orders.datasets.iter();
        Ok(DealTerms {
            requestHash: self.domain.signing_hash(&orders.request),
            firstTask: 0,
            workHash: work(&orders.request).eip712_hash_struct(),
            payer: orders.request.requester,
            appOwner: developer,
            poolOwner: self.parties.pool.address(),
            appPrice: orders.app.price,
            poolPrice: orders.pool.price,
            stake: orders.pool.stake,
            feeBps: self.fee_bps,
            mode: orders.request.mode,
            startedAt: self.parties.pool.endpoint.head().await?.1,
            callback: orders.request.callback,
            callbackGas: orders.request.callbackGas,
            datasets: datasets.map(|order| DatasetShare { owner: developer, price: order.price }).collect(),
        })
    }

    /// What an enclave says about a task of these orders; with a callback when the request names one.
    pub(crate) fn receipt(&self, orders: &Orders, index: u32) -> Receipt {
        let request_hash = OrderHash::new(self.domain.signing_hash(&orders.request));
        let callback = if orders.request.callback.is_zero() {
            B256::ZERO
        } else {
            alloy_primitives::keccak256(CALLBACK)
        };
        Receipt {
            work: work(&orders.request),
            dealId: deal_id(request_hash, 0).get(),
            index,
            status: 0,
            fuel: 123_456_789,
            keyEpoch: 0,
            output: B256::repeat_byte(0x41),
            callbackHash: callback,
            stateBefore: B256::ZERO,
            stateAfter: B256::ZERO,
            deltaIndex: 0,
        }
    }

    fn settlement(&self, orders: &Orders) -> Outcome<(TaskOutcome, Vec<Effects>, B256, B256)> {
        let receipt = self.receipt(orders, 0);
        let (r, vs) = self.parties.attest(&self.domain, &receipt)?;
        let data = if receipt.callbackHash.is_zero() { Bytes::new() } else { CALLBACK.into() };
        let cid = Cid::new(Codec::Raw, receipt.output);
        Ok((outcome(&receipt, Some(cid)), effects(&receipt, data), r, vs))
    }

    /// Settles the first task, as the pool.
    pub(crate) async fn settle(&self, orders: &Orders, terms: DealTerms) -> Outcome<u64> {
        let (outcome, effects, r, vs) = self.settlement(orders)?;
        let call = settleCall { terms, outcome, r, vs, effects };
        self.send(&self.parties.pool, self.contracts.market, &call).await
    }

    /// Makes and settles a deal of one task in one transaction, as the pool.
    pub(crate) async fn execute(&self, orders: &Orders) -> Outcome<u64> {
        let (outcome, effects, r, vs) = self.settlement(orders)?;
        let call = executeCall { orders: orders.clone(), outcome, r, vs, effects };
        self.send(&self.parties.pool, self.contracts.market, &call).await
    }
}
