//! One JSON-RPC endpoint and, if there is a key, one account that sends.

use crate::{
    ChainError,
    error::at,
    member,
    pool::{Failover, Pool},
    revert,
    sender::{SendPolicy, Sender, accounts},
    urls,
};
use alloy_consensus::Transaction;
use alloy_eips::BlockNumberOrTag;
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use alloy_signer_local::PrivateKeySigner;
use alloy_transport::{BoxTransport, IntoBoxTransport, TransportError};
use sealwork_ports::TxOutcome;
use std::sync::Arc;

/// One chain, through one JSON-RPC endpoint or several, and one sending account.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pool: Arc<Pool>,
    provider: DynProvider,
    sender: Sender,
    chain_id: u64,
}

impl Endpoint {
    /// Connects and asks for the chain id.
    ///
    /// Several URLs, separated by commas, are one chain's: the first that is well is asked, another when it fails, and
    /// what they say is compared. The order is that of trust.
    ///
    /// # Errors
    /// [`ChainError::Url`] or [`ChainError::Endpoint`].
    pub async fn connect(urls: &str, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let endpoints = urls.split(',').map(|url| urls::reach(url.trim())).collect::<Result<_, _>>()?;
        let account = signer.address();
        let mut endpoint = Self::with(endpoints, signer).await?;
        endpoint.sender.state = accounts::shared(urls, account);
        Ok(endpoint)
    }

    /// Talks over a transport that is there already, such as a chain in the same process, and asks for the chain id.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub async fn over(
        transport: impl IntoBoxTransport,
        signer: PrivateKeySigner,
    ) -> Result<Self, ChainError> {
        Self::over_all(vec![("endpoint 1".to_owned(), transport.into_box_transport())], signer).await
    }

    /// The same over several transports to one chain, each with a name for errors, in the order of trust.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`] or [`ChainError::NoEndpoint`].
    pub async fn over_all(
        transports: Vec<(String, BoxTransport)>,
        signer: PrivateKeySigner,
    ) -> Result<Self, ChainError> {
        let at = |(name, transport)| member::Address {
            name,
            secrets: Vec::new(),
            transport,
            local: true,
            link: None,
        };
        Self::with(transports.into_iter().map(at).collect(), signer).await
    }

    async fn with(endpoints: Vec<member::Address>, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let pool = Arc::new(Pool::new(endpoints));
        let client = RpcClient::new(Failover(Arc::clone(&pool)), true);
        let provider = ProviderBuilder::default().connect_client(client).erased();
        let chain_id = provider.get_chain_id().await.map_err(at("eth_chainId"))?;
        let sender = Sender {
            pool: Arc::clone(&pool),
            provider: provider.clone(),
            account: signer.address(),
            wallet: signer.into(),
            chain_id,
            policy: SendPolicy::default(),
            state: Arc::default(),
        };
        Ok(Self { pool, provider, sender, chain_id })
    }

    /// The same with another policy for transactions.
    #[must_use]
    pub const fn with_policy(mut self, policy: SendPolicy) -> Self {
        self.sender.policy = policy;
        self
    }

    /// The endpoints one by one.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The account that sends.
    pub const fn sender(&self) -> Address {
        self.sender.account
    }

    /// EIP-155 id that the endpoint reported.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Newest block: number and timestamp.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`] or [`ChainError::Answer`].
    pub async fn head(&self) -> Result<(u64, u64), ChainError> {
        let block = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Latest)
            .await
            .map_err(at("eth_getBlockByNumber"))?
            .ok_or(ChainError::Answer { call: "eth_getBlockByNumber" })?;
        Ok((block.header.number, block.header.timestamp))
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub async fn block_number(&self) -> Result<u64, ChainError> {
        self.provider.get_block_number().await.map_err(at("eth_blockNumber"))
    }

    /// Native balance of an account, wei.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        self.provider.get_balance(account).await.map_err(at("eth_getBalance"))
    }

    /// The sender's next nonce, pending transactions included.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub async fn nonce(&self) -> Result<u64, ChainError> {
        self.sender.count_pending().await
    }

    /// Code at an address; empty when there is no contract.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub async fn code(&self, address: Address) -> Result<Bytes, ChainError> {
        self.provider.get_code_at(address).await.map_err(at("eth_getCode"))
    }

    /// Sends native coins.
    ///
    /// # Errors
    /// As [`Endpoint::send`].
    pub async fn transfer(&self, to: Address, wei: U256) -> Result<TxOutcome, ChainError> {
        self.send_request(TransactionRequest::default().with_to(to).with_value(wei)).await
    }

    /// Runs a call without sending it.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the decoded reason, or [`ChainError::Endpoint`].
    pub async fn call(&self, to: Address, input: Vec<u8>) -> Result<Bytes, ChainError> {
        let request = TransactionRequest::default().with_from(self.sender()).with_to(to).with_input(input);
        self.provider.call(request).await.map_err(refused("eth_call"))
    }

    /// Gas that sending a call to `to`, or creating a contract, would use now.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the decoded reason, or [`ChainError::Endpoint`].
    pub async fn estimate(&self, to: Option<Address>, input: Vec<u8>) -> Result<u64, ChainError> {
        let request = Self::request(to, input).with_from(self.sender());
        self.provider.estimate_gas(request).await.map_err(refused("eth_estimateGas"))
    }

    /// Price of a unit of gas that [`Endpoint::send`] would offer at most now, in wei.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub async fn gas_price(&self) -> Result<u128, ChainError> {
        Ok(self.sender.usual_fees().await?.most)
    }

    /// Receipt of a mined transaction.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub(crate) async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, ChainError> {
        self.provider.get_transaction_receipt(hash).await.map_err(at("eth_getTransactionReceipt"))
    }

    /// Whom a transaction calls, and with what; `None` for the callee when it creates a contract.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`].
    pub(crate) async fn calldata(&self, hash: B256) -> Result<Option<(Option<Address>, Bytes)>, ChainError> {
        let found = self.provider.get_transaction_by_hash(hash).await;
        let found = found.map_err(at("eth_getTransactionByHash"))?;
        Ok(found.map(|transaction| (transaction.to(), transaction.input().clone())))
    }

    /// Timestamp of a block.
    ///
    /// # Errors
    /// [`ChainError::Endpoint`] or [`ChainError::Answer`].
    pub(crate) async fn timestamp(&self, block: u64) -> Result<u64, ChainError> {
        let found = self
            .provider
            .get_block_by_number(block.into())
            .await
            .map_err(at("eth_getBlockByNumber"))?
            .ok_or(ChainError::Answer { call: "eth_getBlockByNumber" })?;
        Ok(found.header.timestamp)
    }

    /// Sends a call to `to`, or creates a contract when `to` is `None`, and waits until it is mined.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] before anything is spent when the estimate already fails; the same after mining when
    /// the state moved; [`ChainError::NotMined`] after two minutes, unless the policy says otherwise; [`ChainError::NonceTaken`] and
    /// [`ChainError::NonceContested`] when another program sends from the account.
    pub async fn send(&self, to: Option<Address>, input: Vec<u8>) -> Result<TxOutcome, ChainError> {
        self.send_request(Self::request(to, input)).await
    }

    fn request(to: Option<Address>, input: Vec<u8>) -> TransactionRequest {
        match to {
            Some(to) => TransactionRequest::default().with_to(to).with_input(input),
            None => TransactionRequest::default().with_deploy_code(input),
        }
    }

    async fn send_request(&self, request: TransactionRequest) -> Result<TxOutcome, ChainError> {
        let receipt = self.sender.send(request.clone()).await?;
        if !receipt.status() {
            return Err(self.why_reverted(request).await);
        }
        Ok(TxOutcome {
            transaction: receipt.transaction_hash,
            block: receipt.block_number.unwrap_or_default(),
            gas_used: receipt.gas_used,
        })
    }

    /// A mined transaction carries no reason; running it again on the newest state usually tells.
    async fn why_reverted(&self, request: TransactionRequest) -> ChainError {
        match self.provider.call(request.with_from(self.sender())).await {
            Err(error) => refused("eth_call")(error),
            Ok(_) => reverted("the state changed while the transaction was on its way".into(), Bytes::new()),
        }
    }
}

const fn reverted(reason: String, data: Bytes) -> ChainError {
    ChainError::Reverted { reason, data }
}

/// Like [`at`], but a JSON-RPC error with revert data becomes [`ChainError::Reverted`].
pub(crate) fn refused(method: &'static str) -> impl Fn(TransportError) -> ChainError {
    move |source| match source.as_error_resp() {
        Some(payload) => match payload.as_revert_data() {
            Some(data) => reverted(revert::describe(&data), data),
            None if payload.message.contains("revert") => reverted(revert::describe(&[]), Bytes::new()),
            None => reverted(payload.message.to_string(), Bytes::new()),
        },
        None => ChainError::Endpoint { method, source },
    }
}
