// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Status } from "../../../src/generated/Status.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { DatasetShare, DealTerms } from "../../../src/types/Deals.sol";
import { DatasetOrder, Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Matches with several datasets, whose owners are paid each.
contract DatasetsTest is UnitFixture {
    function _mismatch(uint256 index, bytes32 wanted, bytes32 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.DatasetMismatch.selector, index, wanted, given);
    }

    /// @dev `count` orders for the first dataset.
    function _same(uint256 count) private view returns (Bundle memory bundle) {
        bundle = _bundleOf(1);
        bundle.datasets = new DatasetOrder[](count);
        bundle.request.datasets = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bundle.request.datasets[i] = datasetIds[0];
            bundle.datasets[i].dataset = datasetIds[0];
            bundle.datasets[i].price = 1;
            bundle.datasets[i].volume = type(uint32).max;
            bundle.datasets[i].expiry = bundle.app.expiry;
        }
        bundle.request.datasetMaxPrice = 100;
    }

    function test_WhenTheDatasetsHaveDifferentOwners() public {
        vm.prank(DATA);
        registry.transferFrom(DATA, OTHER, uint256(datasetIds[1]));
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].price = 50;
        Orders memory orders = _orders(bundle);
        orders.datasetSignatures[1] = _sign(STRANGER, hasher.datasetOrder(bundle.datasets[1]));
        market.matchOrders(orders);
        DealTerms memory terms = _terms(bundle, 0);
        terms.datasets[1] = DatasetShare(OTHER, 50);
        _settle(terms, _outcome(0, Status.SUCCESS));
        // it should pay each owner, less the fee of each
        vm.assertEq(_available(DATA), 70 - 1);
        vm.assertEq(_available(OTHER), 50 - 1);
    }

    function test_WhenTheRequestNamesAsManyAsItMay() public {
        Bundle memory bundle = _same(8);
        DealTerms memory terms = _matched(bundle);
        _settle(terms, _outcome(0, Status.SUCCESS));
        // it should pay all of them
        vm.assertEq(_available(DATA), 8);
    }

    function test_RevertWhen_TheRequestNamesTooMany() public {
        _submit(_same(9), abi.encodeWithSelector(IOrders.TooManyDatasets.selector, 9, 8));
    }

    function test_RevertWhen_AnOrderIsMissing() public {
        Bundle memory bundle = _withDatasets(_bundle());
        DatasetOrder[] memory less = new DatasetOrder[](1);
        less[0] = bundle.datasets[0];
        bundle.datasets = less;
        _submit(bundle, _mismatch(1, datasetIds[1], bytes32(0)));
    }

    function test_RevertWhen_AnOrderWasNotAskedFor() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.request.datasets = new bytes32[](1);
        bundle.request.datasets[0] = datasetIds[0];
        _submit(bundle, _mismatch(1, bytes32(0), datasetIds[1]));
    }

    function test_RevertWhen_AnOrderIsForAnotherDataset() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.request.datasets[0] = datasetIds[1];
        _submit(bundle, _mismatch(0, datasetIds[1], datasetIds[0]));
    }

    function test_RevertWhen_ASignatureIsMissing() public {
        Orders memory orders = _orders(_withDatasets(_bundle()));
        bytes[] memory one = new bytes[](1);
        one[0] = orders.datasetSignatures[0];
        orders.datasetSignatures = one;
        _matchFails(orders, abi.encodeWithSelector(IOrders.SignatureCountMismatch.selector, 2, 1));
    }

    function test_RevertWhen_ThereAreTooManySignatures() public {
        Orders memory orders = _orders(_bundle());
        orders.datasetSignatures = new bytes[](1);
        _matchFails(orders, abi.encodeWithSelector(IOrders.SignatureCountMismatch.selector, 0, 1));
    }

    function test_WhenOneOrderStandsTwice() public {
        Bundle memory bundle = _same(2);
        bundle.datasets[0].volume = 2;
        bundle.datasets[1].volume = 2;
        _submit(bundle);
        // it should use it up twice
        (uint32 used,,) = market.orderState(DATA, hasher.datasetOrder(bundle.datasets[0]));
        vm.assertEq(used, 2);
    }

    function test_RevertWhen_OneOrderStandsTwiceWithTooLittleLeft() public {
        Bundle memory bundle = _same(2);
        bundle.datasets[0].volume = 1;
        bundle.datasets[1].volume = 1;
        _submit(bundle, _consumed(hasher.datasetOrder(bundle.datasets[0])));
    }

    function test_RevertWhen_ADatasetOrderIsExpired() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].expiry = uint64(block.timestamp - 1);
        bytes32 hash = hasher.datasetOrder(bundle.datasets[1]);
        _submit(bundle, abi.encodeWithSelector(IOrders.OrderExpired.selector, hash, block.timestamp - 1));
    }

    function test_RevertWhen_ADatasetOrderIsUsedUp() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].volume = 3;
        _submit(bundle);
        bundle.request.salt = "next";
        _submit(bundle, _consumed(hasher.datasetOrder(bundle.datasets[1])));
    }

    function test_WhenADatasetOrderHasTheLeastLeft() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].volume = 2;
        // it should make a deal of that
        vm.assertEq(market.deal(_submit(bundle)).volume, 2);
    }

    /// @dev Appendix B of the iExec reference: pool 1,000,000,000, app 1000, dataset 1,000,000, 30 percent stake, volume 3.
    function test_WhenThePricesAreThoseOfAMeasuredDeal() public {
        _fund(USER, 4_000_000_000);
        _fund(HOST, 1_000_000_000);
        uint256 user = _available(USER);
        uint256 host = _available(HOST);
        Bundle memory bundle = _same(1);
        bundle.request.volume = 3;
        bundle.app.price = 1000;
        bundle.request.appMaxPrice = 1000;
        bundle.pool.price = 1_000_000_000;
        bundle.request.poolMaxPrice = 1_000_000_000;
        bundle.pool.stake = 300_000_000;
        bundle.datasets[0].price = 1_000_000;
        bundle.request.datasetMaxPrice = 1_000_000;
        _submit(bundle);
        // it should take three times 1,001,001,000 and three times 300,000,000
        vm.assertEq(_available(USER), user - 3 * 1_001_001_000);
        vm.assertEq(_available(HOST), host - 3 * 300_000_000);
    }
}
