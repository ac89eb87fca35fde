// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { DealTerms } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Who is paid what, by the fault column of the status table. Fee: 2.5 percent of each payment, rounded down.
contract PaymentTest is UnitFixture {
    uint256 private constant POOL_NET = 975;
    uint256 private constant APP_NET = 293;
    uint256 private constant DATASETS_NET = 138;
    uint256 private constant ALL_FEES = 34;

    uint256 private _user;
    uint256 private _host;

    function setUp() public override {
        super.setUp();
        _keep(_matched(_withDatasets(_bundle())));
        _user = _available(USER);
        _host = _available(HOST);
    }

    function _everybodyIsPaid(uint16 status) private {
        _settle(_agreed(), _outcome(0, status));
        vm.assertEq(_available(HOST), _host + POOL_NET + STAKE);
        vm.assertEq(_available(DEV), APP_NET);
        vm.assertEq(_available(DATA), DATASETS_NET);
        vm.assertEq(_available(FEES), ALL_FEES);
        vm.assertEq(_available(USER), _user);
        vm.assertEq(market.account(HOST).merit, STAKE);
        vm.assertEq(market.kitty(), 0);
    }

    function _poolIsPaid(uint16 status) private {
        _settle(_agreed(), _outcome(0, status));
        vm.assertEq(_available(HOST), _host + POOL_NET + STAKE);
        vm.assertEq(_available(DEV), 0);
        vm.assertEq(_available(DATA), 0);
        vm.assertEq(_available(FEES), 25);
        vm.assertEq(_available(USER), _user + 440);
        vm.assertEq(market.account(HOST).merit, STAKE);
        vm.assertEq(market.kitty(), 0);
    }

    function _allIsRefunded(uint16 status) private {
        _settle(_agreed(), _outcome(0, status));
        vm.assertEq(_available(HOST), _host + STAKE);
        vm.assertEq(_available(USER), _user + PRICE_WITH_DATASETS);
        vm.assertEq(_available(FEES), 0);
        vm.assertEq(market.account(HOST).merit, 0);
        vm.assertEq(market.kitty(), 0);
    }

    function _poolIsSlashed(uint16 status) private {
        _settle(_agreed(), _outcome(0, status));
        vm.assertEq(_available(HOST), _host);
        vm.assertEq(_available(USER), _user + PRICE_WITH_DATASETS);
        vm.assertEq(_available(FEES), 0);
        vm.assertEq(market.account(HOST).merit, 0);
        vm.assertEq(market.kitty(), STAKE);
    }

    function test_WhenTheTaskSucceeded() public {
        // it should pay everybody, give the stake back and count it as merit
        _everybodyIsPaid(Status.SUCCESS);
    }

    function test_WhenTheServiceRanToItsEnd() public {
        // it should pay everybody
        _everybodyIsPaid(Status.EXECVE);
    }

    function test_WhenTheProgramTrapped() public {
        // it should pay everybody, because the requester is at fault
        _everybodyIsPaid(Status.BASE_EXCEPTION);
    }

    function test_WhenTheInputIsBoundToOthers() public {
        // it should pay everybody
        _everybodyIsPaid(Status.INPUT_BINDING_ERROR);
    }

    function test_WhenTheInputIsMalformed() public {
        // it should pay everybody
        _everybodyIsPaid(Status.INPUT_FORMAT_ERROR);
    }

    function test_WhenTheInputIsExpired() public {
        // it should pay everybody
        _everybodyIsPaid(Status.INPUT_EXPIRED);
    }

    function test_WhenTheOutputLimitIsReached() public {
        // it should pay everybody
        _everybodyIsPaid(Status.OUTPUT_LIMIT);
    }

    function test_WhenTheMemoryLimitIsReached() public {
        // it should pay everybody
        _everybodyIsPaid(Status.MEMORY_LIMIT);
    }

    function test_WhenTheFuelLimitIsReached() public {
        // it should pay everybody
        _everybodyIsPaid(Status.FUEL_LIMIT);
    }

    function test_WhenTheExitCodeIsNotZero() public {
        // it should pay everybody
        _everybodyIsPaid(Status.EXIT_NONZERO);
    }

    function test_WhenTheProgramCannotBeCompiled() public {
        // it should pay the pool only, because the developer is at fault
        _poolIsPaid(Status.SYNTAX_WARNING);
    }

    function test_WhenTheProgramHasNoEntryPoint() public {
        // it should pay the pool only
        _poolIsPaid(Status.PAYLOAD_NOT_DEFINED);
    }

    function test_WhenTheProgramImportsTheUnknown() public {
        // it should pay the pool only
        _poolIsPaid(Status.IMPORT_ERROR);
    }

    function test_WhenTheKeyIsWrong() public {
        // it should refund all and give the stake back, because nobody's fault is proven
        _allIsRefunded(Status.KEY_ERROR);
    }

    function test_WhenTheTimeLimitIsReached() public {
        // it should refund all and give the stake back
        _allIsRefunded(Status.TIME_LIMIT);
    }

    function test_WhenTheStatusIsUnknown() public {
        // it should refund all and give the stake back
        _allIsRefunded(9999);
    }

    function test_WhenTheEnclaveFailed() public {
        // it should refund all and put the stake into the kitty
        _poolIsSlashed(Status.SYSTEM_ERROR);
    }

    function test_WhenTheModuleIsAnother() public {
        // it should refund all and put the stake into the kitty
        _poolIsSlashed(Status.PAYLOAD_CHECKSUM_ERROR);
    }

    function test_WhenTheInputIsAnother() public {
        // it should refund all and put the stake into the kitty
        _poolIsSlashed(Status.INPUT_CHECKSUM_ERROR);
    }

    function test_WhenAllTasksAreClosed() public {
        _settle(_agreed(), _outcome(0, Status.SUCCESS));
        _settle(_agreed(), _outcome(1, Status.IMPORT_ERROR));
        _settle(_agreed(), _outcome(2, Status.SYSTEM_ERROR));
        // it should hold nothing back
        vm.assertEq(_owed(), token.balanceOf(address(market)));
    }

    function test_WhenTheFeeIsZero() public {
        vm.prank(GOVERNOR);
        market.setFee(0);
        Bundle memory bundle = _bundleOf(1);
        bundle.request.salt = "free";
        _submit(bundle);
        DealTerms memory terms = _terms(bundle, 0);
        terms.feeBps = 0;
        _settle(terms, _outcome(0, Status.SUCCESS));
        // it should pay in full
        vm.assertEq(_available(DEV), APP_PRICE);
        vm.assertEq(_available(FEES), 0);
    }

    function test_WhenTheFeeIsAtItsCap() public {
        vm.prank(GOVERNOR);
        market.setFee(uint16(Params.PROTOCOL_FEE_CAP_BPS));
        Bundle memory bundle = _bundleOf(1);
        bundle.request.salt = "capped";
        _submit(bundle);
        DealTerms memory terms = _terms(bundle, 0);
        terms.feeBps = 500;
        _settle(terms, _outcome(0, Status.SUCCESS));
        // it should take five percent of each payment
        vm.assertEq(_available(DEV), 285);
        vm.assertEq(_available(FEES), 65);
    }

    function test_WhenTheFeeChangedAfterTheMatch() public {
        vm.prank(GOVERNOR);
        market.setFee(0);
        // it should take the fee that was agreed
        _everybodyIsPaid(Status.SUCCESS);
    }

    function test_WhenOneOwnerPlaysEveryPart() public {
        vm.prank(DEV);
        registry.transferFrom(DEV, HOST, uint256(appId));
        Bundle memory bundle = _bundleOf(1);
        bundle.request.salt = "one";
        DealTerms memory terms = _terms(bundle, 0);
        terms.appOwner = HOST;
        _matchAs(bundle);
        uint256 before = _available(HOST);
        _settle(terms, _outcome(0, Status.SUCCESS));
        // it should get every share
        vm.assertEq(_available(HOST), before + POOL_NET + STAKE + APP_NET);
    }

    function _matchAs(Bundle memory bundle) private {
        _approve(HOST, _appHash(bundle));
        Orders memory orders = _orders(bundle);
        orders.appSignature = "";
        market.matchOrders(orders);
    }
}
