"""web3.py against the chain at CHAIN_URL."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import rlp
from eth_account import Account
from eth_account.messages import encode_defunct
from web3 import AsyncWeb3, Web3
from web3.exceptions import (
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    ContractPanicError,
    MethodUnavailable,
    TransactionNotFound,
    Web3RPCError,
)
from web3.providers import WebSocketProvider

from harness import Checks, equal, eventually, fails, holds

URL = os.environ["CHAIN_URL"]
HERE = Path(__file__).resolve().parent
MNEMONIC = "test test test test test test test test test test test junk"

Account.enable_unaudited_hdwallet_features()
w3 = Web3(Web3.HTTPProvider(URL))
checks = Checks()
ALICE, BOB, CAROL = (Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{i}") for i in (7, 8, 9))
STRANGER = Web3.to_checksum_address("0x00000000000000000000000000000000000e112e")
GWEI = 10**9


def artifact(path: str) -> dict[str, Any]:
    content = json.loads((HERE / path).read_text())
    code = content["bytecode"]
    return {"abi": content["abi"], "bytecode": code if isinstance(code, str) else code["object"]}


TOKEN = artifact("../../contracts/artifacts/DevToken.json")
PROBE = artifact("../foundry/out/Probe.sol/Probe.json")


def rpc(method: str, *params: Any) -> Any:
    """One request as it is; its error becomes an exception."""
    answer = w3.provider.make_request(method, list(params))
    if "error" in answer:
        raise Web3RPCError(str(answer["error"]), rpc_response=answer)
    return answer["result"]


def send(transaction: dict[str, Any], signer: Any = ALICE, **more: Any) -> Any:
    """Completes, signs and sends a transaction, and waits for its receipt."""
    filled = {"nonce": w3.eth.get_transaction_count(signer.address), "chainId": w3.eth.chain_id, **transaction, **more}
    if "gasPrice" not in filled:
        filled.setdefault("maxFeePerGas", 50 * GWEI)
        filled.setdefault("maxPriorityFeePerGas", GWEI)
    if "gas" not in filled:
        known = {key: value for key, value in filled.items() if key != "authorizationList"}
        filled["gas"] = w3.eth.estimate_gas({**known, "from": signer.address}) + 100_000
    raw = signer.sign_transaction(filled).raw_transaction
    return w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw), poll_latency=0.02)


def deploy(json_artifact: dict[str, Any], *args: Any) -> Any:
    factory = w3.eth.contract(**json_artifact)
    built = factory.constructor(*args).build_transaction(
        {"from": ALICE.address, "nonce": w3.eth.get_transaction_count(ALICE.address)}
    )
    receipt = w3.eth.wait_for_transaction_receipt(
        w3.eth.send_raw_transaction(ALICE.sign_transaction(built).raw_transaction), poll_latency=0.02
    )
    return w3.eth.contract(address=receipt["contractAddress"], abi=json_artifact["abi"])


def act(call: Any) -> Any:
    """Calls a function of a contract in a transaction."""
    built = call.build_transaction({"from": ALICE.address, "nonce": w3.eth.get_transaction_count(ALICE.address)})
    raw = ALICE.sign_transaction(built).raw_transaction
    return w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw), poll_latency=0.02)


def reads() -> None:
    def blocks() -> None:
        rpc("evm_mine")
        latest = w3.eth.get_block("latest")
        equal(latest["number"], w3.eth.block_number)
        equal(w3.eth.get_block(latest["hash"]), latest)
        for tag in ("earliest", "pending", "safe", "finalized"):
            w3.eth.get_block(tag)
        fails(lambda: w3.eth.get_block(10_000_000), BlockNotFound)
        fails(lambda: w3.eth.get_transaction("0x" + "ab" * 32), TransactionNotFound)
        fails(lambda: w3.eth.get_transaction_receipt("0x" + "ab" * 32), TransactionNotFound)

    def inside() -> None:
        receipt = send({"to": BOB.address, "value": 1})
        block = w3.eth.get_block(receipt["blockNumber"], full_transactions=True)
        equal(block["transactions"][0]["hash"], receipt["transactionHash"])
        equal(w3.eth.get_block_transaction_count(block["hash"]), 1)
        equal(w3.eth.get_transaction_by_block(block["number"], 0)["hash"], receipt["transactionHash"])
        equal(w3.eth.get_block_receipts(block["number"])[0]["transactionHash"], receipt["transactionHash"])
        equal(w3.eth.get_raw_transaction(receipt["transactionHash"])[0], 2)

    def accounts() -> None:
        holds(w3.eth.get_balance(ALICE.address) > 10**21)
        equal(w3.eth.get_code(ALICE.address), b"")
        contract = deploy(PROBE, 31)
        equal(int.from_bytes(w3.eth.get_storage_at(contract.address, 0)), 31)

    def fees() -> None:
        holds(w3.eth.gas_price > 0)
        holds(w3.eth.max_priority_fee >= 0)
        history = w3.eth.fee_history(2, "latest", [20.5, 80])
        equal((len(history["baseFeePerGas"]), len(history["reward"])), (3, 2))

    checks.check("chain id, client version, accounts", lambda: (
        equal(w3.eth.chain_id, 31_337), holds(w3.client_version), equal(len(w3.eth.accounts), 10),
        equal(w3.net.version, "31337"), equal(w3.eth.syncing, False), holds(w3.is_connected()),
    ))
    checks.check("blocks by tag, number, hash; unknown ones", blocks)
    checks.check("transactions of a block", inside)
    checks.check("balance, code, storage", accounts)
    checks.check("gas price, tip, fee history", fees)
    checks.check("proof against the state root", proof)


def proof() -> None:
    """The first node hashes to the root, and each node contains the hash of the next."""
    contract = deploy(PROBE, 31)
    block = w3.eth.get_block("latest")
    answer = w3.eth.get_proof(contract.address, ["0x" + "00" * 32], block["number"])
    for root, nodes in ((block["stateRoot"], answer["accountProof"]), (answer["storageHash"], answer["storageProof"][0]["proof"])):
        expected = bytes(root)
        for node, following in zip(nodes, [*nodes[1:], None], strict=True):
            equal(bytes(Web3.keccak(node)), expected)
            expected = bytes(Web3.keccak(following)) if following is not None else b""
            holds(expected in bytes(node), "a node names the next one")
    leaf = rlp.decode(bytes(answer["accountProof"][-1]))
    nonce, _, storage, code = rlp.decode(leaf[-1])
    equal((nonce, storage, code), (b"\x01", bytes(answer["storageHash"]), bytes(answer["codeHash"])))
    equal(bytes(answer["codeHash"]), bytes(Web3.keccak(w3.eth.get_code(contract.address))))


def transactions() -> None:
    def typed(expected: int, **fields: Any) -> None:
        receipt = send({"to": BOB.address, "value": 1, **fields})
        equal((receipt["type"], receipt["status"]), (expected, 1))
        equal(w3.eth.get_transaction(receipt["transactionHash"])["type"], expected)

    def delegated() -> None:
        target = deploy(PROBE, 1)
        nonce = w3.eth.get_transaction_count(CAROL.address)
        for address, code in ((target.address, bytes.fromhex("ef0100" + target.address[2:])), ("0x" + "00" * 20, b"")):
            signed = CAROL.sign_authorization({"chainId": w3.eth.chain_id, "address": address, "nonce": nonce})
            receipt = send({"to": CAROL.address, "value": 0, "gas": 200_000, "authorizationList": [signed]})
            equal((receipt["type"], bytes(w3.eth.get_code(CAROL.address))), (4, code))
            nonce += 1

    def replaced() -> None:
        rpc("evm_setAutomine", False)
        try:
            nonce = w3.eth.get_transaction_count(ALICE.address)
            common = {"to": BOB.address, "gas": 21_000, "nonce": nonce, "chainId": w3.eth.chain_id}
            signed = [
                ALICE.sign_transaction({**common, "value": fee, "maxFeePerGas": fee * 10 * GWEI, "maxPriorityFeePerGas": fee * GWEI})
                for fee in (1, 2)
            ]
            first, second = (w3.eth.send_raw_transaction(item.raw_transaction) for item in signed)
            eventually(lambda: w3.eth.get_transaction_count(ALICE.address, "pending") == nonce + 1)
            rpc("evm_mine")
            equal(w3.eth.wait_for_transaction_receipt(second, poll_latency=0.02)["status"], 1)
            fails(lambda: w3.eth.get_transaction(first), TransactionNotFound)
        finally:
            rpc("evm_setAutomine", True)

    accessed = [{"address": BOB.address, "storageKeys": ["0x" + "00" * 32]}]
    checks.check("legacy transaction", lambda: typed(0, gasPrice=50 * GWEI))
    checks.check("EIP-2930 transaction", lambda: typed(1, gasPrice=50 * GWEI, accessList=accessed))
    checks.check("EIP-1559 transaction", lambda: typed(2, accessList=accessed))
    checks.check("EIP-7702 transactions", delegated)
    checks.check("replacement", replaced)
    checks.check("a transaction that the chain signs", lambda: equal(w3.eth.wait_for_transaction_receipt(
        w3.eth.send_transaction({"from": w3.eth.accounts[2], "to": BOB.address, "value": 1}), poll_latency=0.02)["status"], 1))


def contracts() -> None:
    def erc20() -> None:
        token = deploy(TOKEN)
        receipt = act(token.functions.mint(BOB.address, 400))
        equal(token.functions.balanceOf(BOB.address).call(), 400)
        event = token.events.Transfer().process_receipt(receipt)[0]
        equal(event["args"]["amount" if "amount" in event["args"] else "value"], 400)
        equal(token.functions.balanceOf(BOB.address).call(block_identifier=receipt["blockNumber"] - 1), 0)

    def logs() -> None:
        probe = deploy(PROBE, 2)
        receipt = act(probe.functions.fill(0, 4))
        number = receipt["blockNumber"]
        equal(len(probe.events.Pinged().get_logs(from_block=number)), 4)
        equal(len(probe.events.Pinged().get_logs(from_block=number, argument_filters={"round": [1, 3]})), 2)
        equal(len(w3.eth.get_logs({"address": probe.address, "blockHash": receipt["blockHash"]})), 4)
        equal(len(w3.eth.get_logs({"address": probe.address, "fromBlock": 0, "toBlock": "latest"})), 5)

    def filters() -> None:
        probe = deploy(PROBE, 2)
        events, blocks, pending = probe.events.Pinged.create_filter(from_block="latest"), w3.eth.filter("latest"), w3.eth.filter("pending")
        receipt = act(probe.functions.fill(0, 4))
        equal(len(events.get_new_entries()), 4)
        equal(events.get_new_entries(), [])
        holds(receipt["blockHash"] in blocks.get_new_entries())
        eventually(lambda: receipt["transactionHash"] in pending.get_new_entries())
        for item in (events, blocks, pending):
            equal(w3.eth.uninstall_filter(item.filter_id), True)

    def overrides() -> None:
        probe = deploy(PROBE, 2)
        change = {probe.address: {"stateDiff": {"0x" + "00" * 32: "0x" + "00" * 31 + "2a"}}}
        equal(probe.functions.number().call(state_override=change), 42)

    def access_list() -> None:
        probe = deploy(PROBE, 2)
        data = probe.encode_abi("number")
        answer = w3.eth.create_access_list({"from": ALICE.address, "to": probe.address, "data": data})
        equal([entry["address"] for entry in answer["accessList"]], [probe.address])

    def failures() -> None:
        probe = deploy(PROBE, 2)
        custom = fails(probe.functions.set(2_000_000).call, ContractCustomError)
        holds(str(custom.data).startswith("0x") and len(str(custom.data)) == 138)
        holds("the probe refuses" in str(fails(probe.functions.failWithText().call, ContractLogicError)))
        fails(probe.functions.divide(0).call, ContractPanicError)
        fails(probe.functions.failSilently().call, ContractLogicError)
        fails(lambda: probe.functions.set(2_000_000).estimate_gas({"from": ALICE.address}), ContractCustomError)
        equal(send({"to": probe.address, "data": probe.encode_abi("set", [2_000_000]), "gas": 100_000})["status"], 0)

    checks.check("token: deploy, mint, read now and before, event", erc20)
    checks.check("logs by range, argument, block hash", logs)
    checks.check("filters: events, blocks, pending transactions", filters)
    checks.check("eth_call with overrides", overrides)
    checks.check("access list", access_list)
    checks.check("custom error, text, panic, nothing, receipt", failures)


def refusals() -> None:
    def raises(word: str, **fields: Any) -> None:
        error = fails(lambda: send({"to": BOB.address, "value": 1, "gas": 21_000, **fields}), Web3RPCError)
        holds(word in str(error).lower(), f"{word!r} in {error}")

    checks.check("nonce too low", lambda: raises("nonce too low", nonce=0))
    checks.check("insufficient funds", lambda: raises("insufficient funds", value=10**24))
    checks.check("intrinsic gas", lambda: raises("intrinsic gas too low", gas=20_000))
    checks.check("unknown method", lambda: fails(lambda: w3.manager.request_blocking("eth_nothing", []), MethodUnavailable))
    checks.check("bad parameters", lambda: equal(w3.provider.make_request("eth_getBalance", ["0x12"])["error"]["code"], -32602))

    def batch() -> None:
        with w3.batch_requests() as requests:
            requests.add(w3.eth.get_block("latest"))
            requests.add(w3.eth.get_balance(ALICE.address))
            block, balance = requests.execute()
        holds(block["number"] > 0 and balance > 0)

    checks.check("batch", batch)


def signatures() -> None:
    domain = {"name": "conformance", "version": "1", "chainId": 31_337}
    types = {"Note": [{"name": "text", "type": "string"}, {"name": "count", "type": "uint256"}]}
    message = {"text": "hello", "count": 3}

    def permit() -> None:
        token = deploy(TOKEN)
        fields = ("owner address", "spender address", "value uint256", "nonce uint256", "deadline uint256")
        permit_types = {"Permit": [dict(zip(("name", "type"), field.split(), strict=True)) for field in fields]}
        permit_domain = {"name": "Sealwork Development Token", "version": "1", "chainId": 31_337, "verifyingContract": token.address}
        content = {"owner": CAROL.address, "spender": BOB.address, "value": 6, "nonce": 0, "deadline": 2**40}
        signed = CAROL.sign_typed_data(permit_domain, permit_types, content)
        halves = (signed.r.to_bytes(32), signed.s.to_bytes(32))
        act(token.functions.permit(CAROL.address, BOB.address, 6, 2**40, signed.v, *halves))
        equal(token.functions.allowance(CAROL.address, BOB.address).call(), 6)

    def by_chain() -> None:
        address = w3.eth.accounts[7]
        full = {"types": {**types, "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}, {"name": "chainId", "type": "uint256"}]},
                "domain": domain, "primaryType": "Note", "message": message}
        equal(bytes.fromhex(rpc("eth_signTypedData_v4", address, full)[2:]),
              bytes(ALICE.sign_typed_data(domain, types, message).signature))
        signed = w3.eth.sign(address, text="hello")
        equal(Account.recover_message(encode_defunct(text="hello"), signature=signed), address)

    checks.check("permit", permit)
    checks.check("the chain's account signs what the library signs", by_chain)


def controls() -> None:
    def travel() -> None:
        snapshot = rpc("evm_snapshot")
        before = w3.eth.get_block("latest")
        rpc("evm_setNextBlockTimestamp", before["timestamp"] + 500)
        rpc("evm_mine")
        equal(w3.eth.get_block("latest")["timestamp"], before["timestamp"] + 500)
        holds(rpc("evm_revert", snapshot))
        equal(w3.eth.get_block("latest")["hash"], before["hash"])

    def impersonate() -> None:
        rpc("anvil_setBalance", STRANGER, hex(10**18))
        rpc("anvil_impersonateAccount", STRANGER)
        sent = w3.eth.send_transaction({"from": STRANGER, "to": BOB.address, "value": 1})
        equal(w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.02)["from"], STRANGER)
        rpc("anvil_stopImpersonatingAccount", STRANGER)
        fails(lambda: w3.eth.send_transaction({"from": STRANGER, "to": BOB.address, "value": 1}))

    def trace() -> None:
        receipt = act(deploy(PROBE, 1).functions.catchInner())
        frame = rpc("debug_traceTransaction", receipt["transactionHash"].to_0x_hex(), {"tracer": "callTracer"})
        equal(len(frame["calls"]), 1)

    def pool() -> None:
        equal(w3.geth.txpool.status()["pending"], "0x0")
        holds("pending" in w3.geth.txpool.content() and "queued" in w3.geth.txpool.inspect())

    checks.check("snapshot and time", travel)
    checks.check("impersonation", impersonate)
    checks.check("trace", trace)
    checks.check("pool", pool)


async def news() -> None:
    async def subscribed() -> None:
        async with AsyncWeb3(WebSocketProvider(URL.replace("http", "ws", 1))) as live:
            heads = await live.eth.subscribe("newHeads")
            pending = await live.eth.subscribe("newPendingTransactions")
            probe = await asyncio.to_thread(deploy, PROBE, 1)
            logs = await live.eth.subscribe("logs", {"address": probe.address})
            receipt = await asyncio.to_thread(act, probe.functions.fill(0, 2))
            seen: dict[str, list[Any]] = {heads: [], pending: [], logs: []}
            async for message in live.socket.process_subscriptions():
                seen[message["subscription"]].append(message["result"])
                done = receipt["transactionHash"] in seen[pending] and len(seen[logs]) == 2
                if done and any(head["hash"] == receipt["blockHash"] for head in seen[heads]):
                    break
            for subscription in (heads, pending, logs):
                holds(await live.eth.unsubscribe(subscription))

    await checks.check_async("subscriptions: heads, pending transactions, logs", subscribed)


reads()
transactions()
contracts()
refusals()
signatures()
controls()
asyncio.run(news())
checks.finish()
