// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { Wallet } from "../../utils/Parties.sol";
import { vm } from "../../utils/Vm.sol";
import { cheats } from "../support/Cheats.sol";
import { MuteAccount, PhraseWallet, ShortWallet } from "../support/Signers.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Which signatures a match accepts.
contract SignaturesTest is UnitFixture {
    function _wallet(address wallet) private returns (Bundle memory bundle) {
        _fund(wallet, 10_000);
        bundle = _bundle();
        bundle.request.requester = wallet;
    }

    function test_WhenKeysSign65Bytes() public {
        // it should match
        vm.assertEq(market.deal(_submit(_withDatasets(_bundle()))).volume, 3);
    }

    function test_WhenKeysSign64Bytes() public {
        Bundle memory bundle = _withDatasets(_bundle());
        Orders memory orders = _orders(bundle);
        orders.appSignature = _short(DEVELOPER, _appHash(bundle));
        orders.poolSignature = _short(POOL_OWNER, _poolHash(bundle));
        orders.requestSignature = _short(REQUESTER, _requestHash(bundle));
        orders.datasetSignatures[0] = _short(DATA_OWNER, hasher.datasetOrder(bundle.datasets[0]));
        // it should match
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function test_WhenAWalletContractSigns() public {
        Bundle memory bundle = _wallet(address(new Wallet(OTHER)));
        Orders memory orders = _orders(bundle);
        orders.requestSignature = _sign(STRANGER, _requestHash(bundle));
        // it should match and charge the wallet
        market.matchOrders(orders);
        vm.assertEq(_available(bundle.request.requester), 10_000 - 3 * PRICE);
    }

    function test_WhenAWalletContractWantsAnotherProof() public {
        Bundle memory bundle = _wallet(address(new PhraseWallet("a long phrase that is not any signature of 65 bytes")));
        Orders memory orders = _orders(bundle);
        orders.requestSignature = "a long phrase that is not any signature of 65 bytes";
        // it should match
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function test_RevertWhen_AWalletContractRefuses() public {
        Bundle memory bundle = _wallet(address(new Wallet(OTHER)));
        bytes32 hash = _requestHash(bundle);
        _submit(bundle, _badSignature(hash, bundle.request.requester));
    }

    function test_RevertWhen_AWalletContractAnswersTooShort() public {
        Bundle memory bundle = _wallet(address(new ShortWallet()));
        bytes32 hash = _requestHash(bundle);
        _submit(bundle, _badSignature(hash, bundle.request.requester));
    }

    function test_WhenAnAccountWithDelegatedCodeSignsByItsKey() public {
        MuteAccount code = new MuteAccount();
        cheats.etch(USER, abi.encodePacked(hex"ef0100", address(code)));
        vm.assertTrue(USER.code.length != 0);
        // it should match
        vm.assertEq(market.deal(_submit(_bundle())).volume, 3);
    }

    function test_WhenAnAccountWithDelegatedCodeSignsByItsCode() public {
        Wallet code = new Wallet(OTHER);
        cheats.etch(USER, abi.encodePacked(hex"ef0100", address(code)));
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        orders.requestSignature = _sign(STRANGER, _requestHash(bundle));
        // it should match
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function test_WhenTheOrdersAreApprovedOnChain() public {
        Bundle memory bundle = _withDatasets(_bundle());
        Orders memory orders = _orders(bundle);
        _approve(DEV, _appHash(bundle));
        _approve(HOST, _poolHash(bundle));
        _approve(USER, _requestHash(bundle));
        _approve(DATA, hasher.datasetOrder(bundle.datasets[0]));
        _approve(DATA, hasher.datasetOrder(bundle.datasets[1]));
        orders.appSignature = "";
        orders.poolSignature = "";
        orders.requestSignature = "";
        orders.datasetSignatures = new bytes[](2);
        // it should need no signatures
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function test_RevertWhen_ASignatureIsEmptyWithoutApproval() public {
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        orders.requestSignature = "";
        _matchFails(orders, _badSignature(_requestHash(bundle), USER));
    }

    function test_RevertWhen_OthersApproved() public {
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        orders.requestSignature = "";
        market.approveOrder(_requestHash(bundle));
        _matchFails(orders, _badSignature(_requestHash(bundle), USER));
    }

    function test_RevertWhen_TheAppOrderIsSignedByOthers() public {
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        orders.appSignature = _sign(STRANGER, _appHash(bundle));
        _matchFails(orders, _badSignature(_appHash(bundle), DEV));
    }

    function test_RevertWhen_ThePoolOrderIsSignedByOthers() public {
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        orders.poolSignature = orders.appSignature;
        _matchFails(orders, abi.encodeWithSelector(IOrders.BadSignature.selector, _poolHash(bundle), HOST));
    }

    function test_RevertWhen_ADatasetOrderIsSignedByOthers() public {
        Bundle memory bundle = _withDatasets(_bundle());
        Orders memory orders = _orders(bundle);
        orders.datasetSignatures[1] = orders.datasetSignatures[0];
        _matchFails(orders, _badSignature(hasher.datasetOrder(bundle.datasets[1]), DATA));
    }

    function test_RevertWhen_TheSignatureCoversAnotherOrder() public {
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        ++orders.request.volume;
        bytes32 hash = hasher.requestOrder(orders.request);
        _matchFails(orders, _badSignature(hash, USER));
    }

    function test_RevertWhen_TheRequesterIsNobody() public {
        Bundle memory bundle = _bundle();
        bundle.request.requester = address(0);
        Orders memory orders = _orders(bundle);
        orders.requestSignature = new bytes(65);
        _matchFails(orders, _badSignature(_requestHash(bundle), address(0)));
    }
}
