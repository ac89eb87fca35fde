//! From the options of the command line to orders.

use crate::{
    cli::{PoolTerms, RequestTerms, Terms},
    commands::{Context, run as run_task},
    failure::{self, Failure},
    money, parse,
};
use anyhow::{Result, bail};
use sealwork_client::Client;
use sealwork_types::{
    Address, B256, DatasetId, PoolId,
    abi::{AppOrder, DatasetOrder, PoolOrder, RequestOrder},
    order::TrustMode,
    signed_order::UNLIMITED,
};

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

pub(super) async fn app_order(
    context: &Context,
    client: &Client,
    app: &str,
    terms: &Terms,
) -> Result<AppOrder> {
    refuse("app", "app", terms.for_app.as_deref())?;
    let expiry = client.now().await?.saturating_add(terms.days.saturating_mul(DAY_S));
    let app = context.app(client, app).await?;
    Ok(AppOrder {
        volume: terms.volume.unwrap_or(UNLIMITED),
        tag: tag(terms.tag.as_deref())?,
        datasetRestrict: parse::restriction(terms.for_dataset.as_deref())?,
        poolRestrict: parse::restriction(terms.for_pool.as_deref())?,
        requesterRestrict: parse::restriction(terms.for_requester.as_deref())?,
        ..client.app_offer(app, money::parse_price(&terms.price)?, expiry).await?
    })
}

pub(super) async fn dataset_order(client: &Client, dataset: &str, terms: &Terms) -> Result<DatasetOrder> {
    refuse("dataset", "dataset", terms.for_dataset.as_deref())?;
    let expiry = client.now().await?.saturating_add(terms.days.saturating_mul(DAY_S));
    let dataset = DatasetId::new(parse::hash("dataset id", dataset)?);
    Ok(DatasetOrder {
        volume: terms.volume.unwrap_or(UNLIMITED),
        tag: tag(terms.tag.as_deref())?,
        appRestrict: parse::restriction(terms.for_app.as_deref())?,
        poolRestrict: parse::restriction(terms.for_pool.as_deref())?,
        requesterRestrict: parse::restriction(terms.for_requester.as_deref())?,
        ..client.dataset_offer(dataset, money::parse_price(&terms.price)?, expiry).await?
    })
}

pub(super) async fn pool_order(
    client: &Client,
    pool: PoolId,
    terms: &Terms,
    more: &PoolTerms,
) -> Result<PoolOrder> {
    refuse("pool", "pool", terms.for_pool.as_deref())?;
    let expiry = client.now().await?.saturating_add(terms.days.saturating_mul(DAY_S));
    let draft = client.pool_offer(pool, money::parse_price(&terms.price)?, expiry).await?;
    Ok(PoolOrder {
        stake: money::parse_price(&more.stake)?,
        volume: terms.volume.unwrap_or(UNLIMITED),
        tag: tag(terms.tag.as_deref())?,
        category: more.category,
        trust: more.trust,
        modes: parse::modes(&more.modes)?,
        offer: more
            .resources
            .as_deref()
            .map(|text| parse::hash("hash of a resource offer", text))
            .transpose()?
            .unwrap_or_default(),
        appRestrict: parse::restriction(terms.for_app.as_deref())?,
        datasetRestrict: parse::restriction(terms.for_dataset.as_deref())?,
        requesterRestrict: parse::restriction(terms.for_requester.as_deref())?,
        ..draft
    })
}

pub(super) async fn request(
    context: &Context,
    client: &Client,
    app: &str,
    terms: &RequestTerms,
) -> Result<RequestOrder> {
    let app = context.app(client, app).await?;
    let expiry = client.now().await?.saturating_add(terms.hours.saturating_mul(HOUR_S));
    let mode = parse::mode(&terms.mode)?;
    // The tasks of a channel get their inputs off chain.
    let draft = if mode == TrustMode::Channel {
        client.request(app, expiry).await?
    } else {
        Box::pin(client.request_with_input(app, run_task::input(&terms.input)?, expiry)).await?
    };
    let optional = |what: &str, text: &Option<String>| {
        text.as_deref().map_or(Ok(Address::ZERO), |text| parse::address(what, text))
    };
    let datasets = terms.datasets.iter().map(|text| parse::hash("dataset id", text));
    Ok(RequestOrder {
        appMaxPrice: money::parse_price(&terms.max_app_price)?,
        datasets: datasets.collect::<Result<_>>()?,
        datasetMaxPrice: money::parse_price(&terms.max_dataset_price)?,
        poolRestrict: parse::restriction(terms.pool.as_deref())?,
        poolMaxPrice: money::parse_price(&terms.max_pool_price)?,
        minStake: money::parse_price(&terms.min_stake)?,
        sponsor: optional("sponsor", &terms.sponsor)?,
        volume: terms.volume,
        tag: tag(terms.tag.as_deref())?,
        category: terms.category,
        trust: terms.trust,
        mode: mode.code(),
        callback: optional("contract", &terms.callback)?,
        callbackGas: terms.callback_gas.unwrap_or(0),
        ..draft
    })
}

fn tag(text: Option<&str>) -> Result<B256> {
    text.map_or(Ok(B256::ZERO), |text| parse::hash("tag", text))
}

fn refuse(kind: &str, party: &str, restriction: Option<&str>) -> Result<()> {
    if restriction.is_some() {
        bail!(Failure::new(
            failure::FAILED,
            format!("an order of {kind} cannot be restricted to another {party}; leave --for-{party} out")
        ));
    }
    Ok(())
}
