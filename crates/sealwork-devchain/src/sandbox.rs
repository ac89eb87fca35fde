//! Where calls are tried and transactions run again: a state and a block's surroundings that nobody else sees.

use crate::evm::{Failure, Rules, View, config};
use alloy_primitives::{Address, B256, U256};
use revm::{
    Context, DatabaseRef, InspectEvm, Inspector, MainBuilder, MainContext,
    context::{BlockEnv, CfgEnv, ContextTr, TxEnv, result::ResultAndState},
    handler::{EthPrecompiles, MainnetContext, PrecompileProvider},
    inspector::NoOpInspector,
    interpreter::{CallInputs, InterpreterResult},
    primitives::AddressSet,
    state::{AccountInfo, Bytecode},
};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

/// A state and a block's surroundings that nobody else sees. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    pub(crate) chain_id: u64,
    pub(crate) view: View,
    pub(crate) block: BlockEnv,
    /// Where precompiles were moved: new address to the address whose code runs there.
    pub(crate) moved: BTreeMap<Address, Address>,
}

impl Sandbox {
    pub(crate) fn new(chain_id: u64, view: View, block: BlockEnv) -> Self {
        Self { chain_id, view, block, moved: BTreeMap::new() }
    }

    /// Runs a transaction; the state stays as it is.
    pub(crate) fn run(&self, rules: Rules, tx: TxEnv) -> Result<ResultAndState, Failure> {
        if self.moved.is_empty() {
            return self.view.run(self.chain_id, self.block.clone(), rules, tx);
        }
        self.inspect(rules, tx, NoOpInspector)
    }

    /// Runs a transaction under the eyes of an inspector; the state stays as it is.
    pub(crate) fn inspect<I>(&self, rules: Rules, tx: TxEnv, inspector: I) -> Result<ResultAndState, Failure>
    where
        I: Inspector<MainnetContext<View>>,
    {
        self.inspect_with(config(self.chain_id, rules), tx, inspector)
    }

    /// The same with a configuration of one's own.
    pub(crate) fn inspect_with<I>(
        &self,
        config: CfgEnv,
        tx: TxEnv,
        inspector: I,
    ) -> Result<ResultAndState, Failure>
    where
        I: Inspector<MainnetContext<View>>,
    {
        let precompiles = MovedPrecompiles::new(EthPrecompiles::new(*config.spec()), &self.moved);
        let mut evm = Context::mainnet()
            .with_db(self.view.clone())
            .with_cfg(config)
            .with_block(self.block.clone())
            .build_mainnet_with_inspector(inspector)
            .with_precompiles(precompiles);
        evm.inspect_tx(tx)
    }
}

/// Ethereum's precompiles, some of them at other addresses.
#[derive(Debug)]
struct MovedPrecompiles {
    all: EthPrecompiles,
    moved: BTreeMap<Address, Address>,
    warm: AddressSet,
}

impl MovedPrecompiles {
    fn new(all: EthPrecompiles, moved: &BTreeMap<Address, Address>) -> Self {
        let mut warm = all.warm_addresses().clone();
        for from in moved.values() {
            warm.remove(from);
        }
        warm.extend(moved.keys());
        Self { all, moved: moved.clone(), warm }
    }

    /// The address of the precompile that answers at `address`.
    fn original(&self, address: &Address) -> Option<Address> {
        let stays = || (self.warm.contains(address) && self.all.contains(address)).then_some(*address);
        self.moved.get(address).copied().or_else(stays)
    }
}

impl<CTX: ContextTr> PrecompileProvider<CTX> for MovedPrecompiles
where
    EthPrecompiles: PrecompileProvider<CTX, Output = InterpreterResult>,
{
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: <CTX::Cfg as revm::context::Cfg>::Spec) -> bool {
        <EthPrecompiles as PrecompileProvider<CTX>>::set_spec(&mut self.all, spec)
    }

    fn run(&mut self, context: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        match self.original(&inputs.bytecode_address) {
            None => Ok(None),
            Some(original) => {
                let inputs = CallInputs { bytecode_address: original, ..inputs.clone() };
                self.all.run(context, &inputs)
            }
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.warm
    }
}

impl View {
    /// Lets the EVM ask for one more block's hash.
    pub(crate) fn remember(&mut self, number: u64, hash: B256) {
        Arc::make_mut(&mut self.hashes).insert(number, hash);
    }
}

impl DatabaseRef for View {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.account(address).map(|account| account.info()))
    }

    fn code_by_hash_ref(&self, _hash: B256) -> Result<Bytecode, Infallible> {
        // `basic_ref` always hands out the code with the account.
        Ok(Bytecode::default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.state.account(address).map_or(U256::ZERO, |account| account.slot(slot)))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }
}
