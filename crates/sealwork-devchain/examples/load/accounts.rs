//! The development accounts and the transactions that they sign.

use crate::Outcome;
use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, TxKind, U256, hex, keccak256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolCall as _, sol};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use serde_json::{Value, json};

sol! {
    function mint(address to, uint256 amount);
    function transfer(address to, uint256 amount);
    function balanceOf(address owner);
}

/// Accounts that send.
pub(crate) const SENDERS: usize = DEV_PRIVATE_KEYS.len();
/// Accounts that receive.
pub(crate) const RECIPIENTS: u64 = 1_000;
/// What every sender owns in the beginning.
const SUPPLY: u64 = 1 << 60;
/// Enough for a transfer to an account that never had any, and a thousand of them fit into a block.
const TRANSFER_GAS: u64 = 55_000;

/// Signed transactions of one account in the order of their nonces.
#[derive(Default)]
pub(crate) struct Signed {
    pub(crate) sender: Address,
    pub(crate) first_nonce: u64,
    pub(crate) raw: Vec<String>,
}

struct Account {
    signer: PrivateKeySigner,
    nonce: u64,
    sent: u64,
}

/// Who sends the token, and where it is.
pub(crate) struct Accounts {
    senders: Vec<Account>,
    token: Address,
}

impl Accounts {
    /// The accounts of a fresh chain, and the transactions that deploy the token and give everybody some.
    pub(crate) fn new(code: &str) -> Outcome<(Self, Vec<String>)> {
        let signers: Result<Vec<_>, _> = DEV_PRIVATE_KEYS.iter().map(PrivateKeySigner::from_bytes).collect();
        let senders: Vec<_> =
            signers?.into_iter().map(|signer| Account { signer, nonce: 0, sent: 0 }).collect();
        let owners: Vec<_> = senders.iter().map(|account| account.signer.address()).collect();
        let deployer = owners.first().ok_or("no account")?;
        let mut accounts = Self { token: deployer.create(0), senders };
        let token = accounts.token;
        let deployer = accounts.senders.first_mut().ok_or("no account")?;
        let mut first = vec![deployer.sign(TxKind::Create, hex::decode(code)?.into(), 3_000_000)?];
        for to in owners {
            let input = mintCall { to, amount: U256::from(SUPPLY) }.abi_encode();
            first.push(deployer.sign(token.into(), input.into(), 100_000)?);
        }
        Ok((accounts, first))
    }

    /// Signed transfers, spread evenly over the accounts. Signs on all cores.
    pub(crate) fn transfers(&mut self, count: u64) -> Outcome<[Signed; SENDERS]> {
        let (token, shares) = (self.token, u64::try_from(SENDERS)?);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..shares)
                .zip(&mut self.senders)
                .map(|(index, account)| {
                    let share = count / shares + u64::from(index < count % shares);
                    scope.spawn(move || account.transfers(token, index * RECIPIENTS / shares, share))
                })
                .collect();
            let mut signed: [Signed; SENDERS] = Default::default();
            for (list, thread) in signed.iter_mut().zip(threads) {
                *list = thread.join().map_err(|_| "a signer panicked")??;
            }
            Ok(signed)
        })
    }

    /// Every account and its number of transactions.
    pub(crate) fn nonces(&self) -> Vec<(Address, u64)> {
        self.senders.iter().map(|account| (account.signer.address(), account.nonce)).collect()
    }

    /// A call for the balance of every sender, and what it must answer.
    pub(crate) fn balances(&self) -> Vec<(Value, String)> {
        let expected = |account: &Account| U256::from(SUPPLY - account.sent).to_be_bytes::<32>();
        let input = |account: &Account| balanceOfCall { owner: account.signer.address() }.abi_encode();
        self.senders
            .iter()
            .map(|account| {
                let call = json!({ "to": self.token, "data": hex::encode_prefixed(input(account)) });
                (call, hex::encode_prefixed(expected(account)))
            })
            .collect()
    }
}

impl Account {
    /// One token each to so many recipients in turn, beginning with `first`.
    fn transfers(&mut self, token: Address, first: u64, count: u64) -> Outcome<Signed> {
        let (sender, first_nonce) = (self.signer.address(), self.nonce);
        let raw: Outcome<Vec<_>> = (0..count)
            .map(|_| {
                let recipient = (first + self.sent) % RECIPIENTS;
                let to = Address::from_word(keccak256(recipient.to_be_bytes()));
                let input = transferCall { to, amount: U256::from(1) }.abi_encode();
                self.sent += 1;
                self.sign(token.into(), input.into(), TRANSFER_GAS)
            })
            .collect();
        Ok(Signed { sender, first_nonce, raw: raw? })
    }

    fn sign(&mut self, to: TxKind, input: Bytes, gas_limit: u64) -> Outcome<String> {
        let tx = TxEip1559 {
            chain_id: 31_337,
            nonce: self.nonce,
            gas_limit,
            max_fee_per_gas: 1_000_000_000_000,
            max_priority_fee_per_gas: 1,
            to,
            input,
            ..TxEip1559::default()
        };
        self.nonce += 1;
        let signature = self.signer.sign_hash_sync(&tx.signature_hash())?;
        Ok(hex::encode_prefixed(TxEnvelope::from(tx.into_signed(signature)).encoded_2718()))
    }
}
