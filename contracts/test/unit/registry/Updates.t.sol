// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IRegistry } from "../../../src/interfaces/IRegistry.sol";
import { App, AppUpdate } from "../../../src/types/Records.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Changes of apps, which take effect by themselves after a delay.
contract UpdatesTest is UnitFixture {
    uint256 private constant DELAY = Params.APP_UPDATE_DELAY_S;

    function _announce(bytes32 suffix) private {
        vm.prank(DEV);
        registry.announceUpdate(appId, suffix, keccak256(abi.encode(suffix)), ~suffix);
    }

    function _withdraw() private {
        vm.prank(DEV);
        registry.withdrawUpdate(appId);
    }

    function _is(bytes32 suffix, uint32 version) private view {
        App memory app = registry.app(appId);
        vm.assertEq(app.manifestHash, suffix);
        vm.assertEq(app.codeHash, keccak256(abi.encode(suffix)));
        vm.assertEq(app.policyHash, ~suffix);
        vm.assertEq(app.version, version);
        (, bytes32 policy) = registry.appPolicy(appId);
        vm.assertEq(policy, ~suffix);
        (, policy,) = registry.parties(appId, poolId);
        vm.assertEq(policy, ~suffix);
    }

    function _isOld() private view {
        vm.assertEq(registry.app(appId).policyHash, POLICY);
        vm.assertEq(registry.app(appId).version, 1);
    }

    function _nothing() private pure returns (bytes4) {
        return IRegistry.NothingAnnounced.selector;
    }

    function test_AnnounceUpdate_WhenTheOwnerSends() public {
        uint64 due = uint64(block.timestamp + Params.APP_UPDATE_DELAY_S);
        // it should emit AppUpdateAnnounced
        vm.expectEmit();
        emit IRegistry.AppUpdateAnnounced(appId, 2, "m", "c", "p", due);
        vm.prank(DEV);
        registry.announceUpdate(appId, "m", "c", "p");
        // it should be announced and change nothing yet
        AppUpdate memory update = registry.announced(appId);
        vm.assertEq(update.manifestHash, "m");
        vm.assertEq(update.codeHash, "c");
        vm.assertEq(update.policyHash, "p");
        vm.assertEq(update.effectiveAt, due);
        _isOld();
    }

    function test_AnnounceUpdate_WhenTheDelayIsAlmostOver() public {
        _announce("next");
        vm.warp(block.timestamp + DELAY - 1);
        // it should change nothing yet
        _isOld();
    }

    function test_AnnounceUpdate_WhenTheDelayIsOver() public {
        _announce("next");
        vm.warp(block.timestamp + DELAY);
        // it should be in force by itself
        _is("next", 2);
        vm.assertEq(registry.announced(appId).effectiveAt, 0);
    }

    function test_AnnounceUpdate_WhenAnotherWasAnnounced() public {
        _announce("next");
        vm.warp(block.timestamp + DELAY - 1);
        _announce("other");
        // it should replace it and start the delay anew
        vm.warp(block.timestamp + 1);
        _isOld();
        vm.warp(block.timestamp + DELAY - 1);
        _is("other", 2);
    }

    function test_AnnounceUpdate_WhenOthersTookEffectBefore() public {
        for (uint32 i = 2; i < 7; ++i) {
            bytes32 suffix = bytes32(uint256(i));
            _announce(suffix);
            // it should keep the one in force until the delay is over
            if (i > 2) _is(bytes32(uint256(i - 1)), i - 1);
            vm.warp(block.timestamp + DELAY);
            // it should raise the version by one
            _is(suffix, i);
        }
    }

    function test_AnnounceUpdate_RevertWhen_OthersSend() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, address(this), DEV));
        registry.announceUpdate(appId, "m", "c", "p");
    }

    function test_AnnounceUpdate_RevertWhen_AnOperatorSends() public {
        vm.prank(DEV);
        registry.setApprovalForAll(OTHER, true);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, OTHER, DEV));
        vm.prank(OTHER);
        registry.announceUpdate(appId, "m", "c", "p");
    }

    function test_AnnounceUpdate_RevertWhen_ItIsNoApp() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, poolId));
        vm.prank(HOST);
        registry.announceUpdate(poolId, "m", "c", "p");
    }

    function test_WithdrawUpdate_WhenItIsNotInForce() public {
        _announce("next");
        // it should emit AppUpdateWithdrawn
        vm.expectEmit();
        emit IRegistry.AppUpdateWithdrawn(appId);
        _withdraw();
        // it should never take effect
        vm.assertEq(registry.announced(appId).effectiveAt, 0);
        vm.warp(block.timestamp + 10 * DELAY);
        _isOld();
    }

    function test_WithdrawUpdate_WhenAnotherTookEffectBefore() public {
        _announce("next");
        vm.warp(block.timestamp + DELAY);
        _announce("third");
        _withdraw();
        vm.warp(block.timestamp + DELAY);
        // it should leave the one in force
        _is("next", 2);
        // it should let a new one be announced
        _announce("fourth");
        vm.warp(block.timestamp + DELAY);
        _is("fourth", 3);
    }

    function test_WithdrawUpdate_RevertWhen_NothingWasAnnounced() public {
        vm.expectRevert(abi.encodeWithSelector(_nothing(), appId));
        _withdraw();
    }

    function test_WithdrawUpdate_RevertWhen_ItIsInForce() public {
        _announce("next");
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(_nothing(), appId));
        _withdraw();
        _is("next", 2);
    }

    function test_WithdrawUpdate_RevertWhen_ItIsWithdrawn() public {
        _announce("next");
        _withdraw();
        vm.expectRevert(abi.encodeWithSelector(_nothing(), appId));
        _withdraw();
    }

    function test_WithdrawUpdate_RevertWhen_OthersSend() public {
        _announce("next");
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, address(this), DEV));
        registry.withdrawUpdate(appId);
    }

    function test_Announced_WhenNothingIs() public view {
        // it should be all zero
        vm.assertEq(keccak256(abi.encode(registry.announced(appId))), keccak256(new bytes(128)));
    }

    function test_Announced_RevertWhen_ItIsNoApp() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, poolId));
        registry.announced(poolId);
    }

    function test_TransferFrom_WhenAnUpdateIsAnnounced() public {
        _announce("next");
        vm.prank(DEV);
        registry.transferFrom(DEV, OTHER, uint256(appId));
        // it should let the new owner withdraw it
        vm.prank(OTHER);
        registry.withdrawUpdate(appId);
        vm.warp(block.timestamp + DELAY);
        _isOld();
    }

    function test_TokenURI_WhenAnUpdateTookEffect() public {
        bytes32 manifest = bytes32(uint256(0xab));
        _announce(manifest);
        vm.warp(block.timestamp + DELAY);
        // it should name the new manifest
        vm.assertEq(
            registry.tokenURI(uint256(appId)),
            "ipfs://f0155122000000000000000000000000000000000000000000000000000000000000000ab"
        );
    }
}
