//! Orders with everything filled in but what makes them special.

use crate::{Client, ClientError, RunInput, publish::put_document, salts::random_salt};
use alloy_primitives::aliases::U96;
use sealwork_types::{
    Address, AppId, B256, Bytes, DatasetId, PoolId,
    abi::{App, AppOrder, DatasetOrder, PoolOrder, RequestOrder},
    order::TrustMode,
    signed_order::UNLIMITED,
};

impl Client {
    /// An app order of this wallet without restrictions, for any number of tasks.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn app_offer(&self, app: AppId, price: U96, expiry: u64) -> Result<AppOrder, ClientError> {
        Ok(AppOrder {
            app: app.get(),
            price,
            volume: UNLIMITED,
            tag: B256::ZERO,
            datasetRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry,
            nonce: self.order_nonce().await?,
            salt: random_salt()?,
        })
    }

    /// A dataset order of this wallet without restrictions, for any number of tasks.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn dataset_offer(
        &self,
        dataset: DatasetId,
        price: U96,
        expiry: u64,
    ) -> Result<DatasetOrder, ClientError> {
        Ok(DatasetOrder {
            dataset: dataset.get(),
            price,
            volume: UNLIMITED,
            tag: B256::ZERO,
            appRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry,
            nonce: self.order_nonce().await?,
            salt: random_salt()?,
        })
    }

    /// A pool order of this wallet without restrictions or stake, for any number of tasks in mode tee.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn pool_offer(&self, pool: PoolId, price: U96, expiry: u64) -> Result<PoolOrder, ClientError> {
        Ok(PoolOrder {
            pool: pool.get(),
            price,
            stake: U96::ZERO,
            volume: UNLIMITED,
            tag: B256::ZERO,
            category: 0,
            trust: 0,
            modes: TrustMode::Tee.bit(),
            offer: B256::ZERO,
            appRestrict: B256::ZERO,
            datasetRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry,
            nonce: self.order_nonce().await?,
            salt: random_salt()?,
        })
    }

    /// A request of this wallet for one task in mode tee under the app's present policy, without an input.
    ///
    /// # Errors
    /// When the app is not registered or the chain cannot be asked.
    pub async fn request(&self, app: AppId, expiry: u64) -> Result<RequestOrder, ClientError> {
        let registered = self.parts.chain.app(app).await?;
        self.request_for(app, &registered, self.parts.salts.next()?, expiry).await
    }

    pub(crate) async fn request_for(
        &self,
        app: AppId,
        registered: &App,
        salt: B256,
        expiry: u64,
    ) -> Result<RequestOrder, ClientError> {
        Ok(RequestOrder {
            app: app.get(),
            codeHash: registered.codeHash,
            policyHash: registered.policyHash,
            appMaxPrice: U96::ZERO,
            datasets: Vec::new(),
            datasetMaxPrice: U96::ZERO,
            poolRestrict: B256::ZERO,
            poolMaxPrice: U96::ZERO,
            minStake: U96::ZERO,
            requester: self.address(),
            sponsor: Address::ZERO,
            outputRecipient: self.output_identity().recipient().digest(),
            volume: 1,
            tag: B256::ZERO,
            category: 0,
            trust: 0,
            mode: TrustMode::Tee.code(),
            callback: Address::ZERO,
            callbackGas: 0,
            params: Bytes::new(),
            requirements: B256::ZERO,
            expiry,
            nonce: self.order_nonce().await?,
            salt,
        })
    }

    /// A request with a sealed and stored input, ready to be signed.
    ///
    /// # Errors
    /// As [`Client::run`] until the input is stored.
    pub async fn request_with_input(
        &self,
        app: AppId,
        input: RunInput,
        expiry: u64,
    ) -> Result<RequestOrder, ClientError> {
        let app = self.app(app).await?;
        self.check_members().await?;
        let sealed = self.seal_input(&app, input, expiry).await?;
        self.store_output_recipient().await?;
        let request = self.request(app.id, expiry).await?;
        Ok(RequestOrder { params: sealed.params.to_bytes().into(), ..request })
    }

    /// Puts the key that outputs are sealed to where enclaves find it.
    pub(crate) async fn store_output_recipient(&self) -> Result<(), ClientError> {
        let recipient = self.output_identity().recipient();
        Ok(put_document(&self.parts.store, recipient.as_bytes().to_vec()).await.map(drop)?)
    }
}
