// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IRegistry } from "../../../src/interfaces/IRegistry.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Names of apps, claimed in two steps.
contract NamesTest is UnitFixture {
    string private constant NAME = "private-grep";
    bytes32 private constant SALT = "salt";

    function _commitment(string memory name) private pure returns (bytes32) {
        return keccak256(abi.encode(name, SALT));
    }

    function _commit(address sender, string memory name) private {
        vm.prank(sender);
        registry.commitName(_commitment(name));
    }

    function _wait() private {
        vm.warp(block.timestamp + Params.NAME_CLAIM_DELAY_S);
    }

    function _claim(address sender, bytes32 id, string memory name) private {
        vm.prank(sender);
        registry.claimName(id, name, SALT);
    }

    /// @dev Both steps.
    function _take(string memory name) private {
        _commit(DEV, name);
        _wait();
        _claim(DEV, appId, name);
    }

    function _notClaimable(uint64 from, uint64 expiry) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistry.NotClaimable.selector, _commitment(NAME), from, expiry);
    }

    function test_CommitName_WhenCalled() public {
        // it should emit NameCommitted, without the name
        vm.expectEmit();
        emit IRegistry.NameCommitted(DEV, _commitment(NAME), uint64(block.timestamp + Params.NAME_CLAIM_DELAY_S));
        _commit(DEV, NAME);
    }

    function test_CommitName_WhenCalledAgain() public {
        _commit(DEV, NAME);
        vm.warp(block.timestamp + 30);
        _commit(DEV, NAME);
        uint64 from = uint64(block.timestamp + Params.NAME_CLAIM_DELAY_S);
        vm.warp(from - 1);
        // it should start the delay anew
        vm.expectRevert(_notClaimable(from, from + uint64(Params.NAME_CLAIM_WINDOW_S)));
        _claim(DEV, appId, NAME);
    }

    function test_ClaimName_WhenTheDelayIsOver() public {
        _commit(DEV, NAME);
        _wait();
        // it should emit NameClaimed
        vm.expectEmit();
        emit IRegistry.NameClaimed(appId, DEV, NAME);
        _claim(DEV, appId, NAME);
        // it should mean the app
        vm.assertEq(registry.appOf(NAME), appId);
    }

    function test_ClaimName_WhenTheWindowIsAlmostOver() public {
        _commit(DEV, NAME);
        vm.warp(block.timestamp + Params.NAME_CLAIM_DELAY_S + Params.NAME_CLAIM_WINDOW_S);
        _claim(DEV, appId, NAME);
        // it should mean the app
        vm.assertEq(registry.appOf(NAME), appId);
    }

    function test_ClaimName_WhenTheAppHasAnotherName() public {
        _take(NAME);
        _take("second-name");
        // it should have both
        vm.assertEq(registry.appOf(NAME), appId);
        vm.assertEq(registry.appOf("second-name"), appId);
    }

    function test_ClaimName_WhenTheNameIsGood() public {
        // it should take a-z, 0-9 and inner single hyphens, 3 to 64 of them
        _take("abc");
        _take("0-1");
        _take("a-b-c-d");
        _take("azqwertyuiopsdfghjklmxcvbn0123456789");
        _take("0123456789012345678901234567890123456789012345678901234567890123");
    }

    function _bad(string memory name) private {
        _commit(DEV, name);
        _wait();
        vm.expectRevert(abi.encodeWithSelector(IRegistry.BadName.selector, name));
        _claim(DEV, appId, name);
    }

    function test_ClaimName_RevertWhen_TheNameIsBad() public {
        _bad("");
        _bad("ab");
        _bad("01234567890123456789012345678901234567890123456789012345678901234");
        _bad("-abc");
        _bad("abc-");
        _bad("a--b");
        _bad("Abc");
        _bad("a_b");
        _bad("a.b");
        _bad("a b");
        _bad("abc\x00");
        _bad(unicode"äbc");
        _bad("a`c");
        _bad("a{c");
        _bad("a/c");
        _bad("a:c");
    }

    function test_ClaimName_RevertWhen_TheDelayIsNotOver() public {
        _commit(DEV, NAME);
        uint64 from = uint64(block.timestamp + Params.NAME_CLAIM_DELAY_S);
        vm.warp(from - 1);
        vm.expectRevert(_notClaimable(from, from + uint64(Params.NAME_CLAIM_WINDOW_S)));
        _claim(DEV, appId, NAME);
    }

    function test_ClaimName_RevertWhen_TheWindowIsOver() public {
        _commit(DEV, NAME);
        uint64 from = uint64(block.timestamp + Params.NAME_CLAIM_DELAY_S);
        uint64 expiry = from + uint64(Params.NAME_CLAIM_WINDOW_S);
        vm.warp(expiry + 1);
        vm.expectRevert(_notClaimable(from, expiry));
        _claim(DEV, appId, NAME);
    }

    function test_ClaimName_RevertWhen_NobodyCommitted() public {
        vm.expectRevert(_notClaimable(0, 0));
        _claim(DEV, appId, NAME);
    }

    function test_ClaimName_RevertWhen_OthersSawTheClaimComing() public {
        _commit(DEV, NAME);
        _wait();
        // A stranger who sees the claim copies name and salt, and has an app, but no commitment of its own.
        vm.prank(OTHER);
        bytes32 id = registry.registerApp(OTHER, "manifest", CODE, POLICY, "app");
        vm.expectRevert(_notClaimable(0, 0));
        _claim(OTHER, id, NAME);
        // A commitment made now comes too late.
        _commit(OTHER, NAME);
        uint64 from = uint64(block.timestamp + Params.NAME_CLAIM_DELAY_S);
        vm.expectRevert(_notClaimable(from, from + uint64(Params.NAME_CLAIM_WINDOW_S)));
        _claim(OTHER, id, NAME);
        _claim(DEV, appId, NAME);
        vm.assertEq(registry.appOf(NAME), appId);
    }

    function test_ClaimName_RevertWhen_OthersCopiedTheCommitment() public {
        _commit(OTHER, NAME);
        _commit(DEV, NAME);
        _wait();
        // it should count for each of them alone
        _claim(DEV, appId, NAME);
        vm.prank(OTHER);
        bytes32 id = registry.registerApp(OTHER, "manifest", CODE, POLICY, "app");
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NameTaken.selector, NAME, appId));
        _claim(OTHER, id, NAME);
    }

    function test_ClaimName_RevertWhen_TheCommitmentIsUsed() public {
        _take(NAME);
        vm.prank(DEV);
        registry.releaseName(NAME);
        vm.expectRevert(_notClaimable(0, 0));
        _claim(DEV, appId, NAME);
    }

    function test_ClaimName_RevertWhen_TheNameIsTaken() public {
        _take(NAME);
        _commit(DEV, NAME);
        _wait();
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NameTaken.selector, NAME, appId));
        _claim(DEV, appId, NAME);
    }

    function test_ClaimName_RevertWhen_TheAppIsAnothers() public {
        _commit(OTHER, NAME);
        _wait();
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, OTHER, DEV));
        _claim(OTHER, appId, NAME);
    }

    function test_ClaimName_RevertWhen_ItIsNoApp() public {
        _commit(HOST, NAME);
        _wait();
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, poolId));
        _claim(HOST, poolId, NAME);
    }

    function test_ReleaseName_WhenTheOwnerSends() public {
        _take(NAME);
        // it should emit NameReleased
        vm.expectEmit();
        emit IRegistry.NameReleased(appId, NAME);
        vm.prank(DEV);
        registry.releaseName(NAME);
        // it should mean nothing, and be free
        vm.assertEq(registry.appOf(NAME), bytes32(0));
        _take(NAME);
    }

    function test_ReleaseName_WhenTheAppWasSold() public {
        _take(NAME);
        vm.prank(DEV);
        registry.transferFrom(DEV, OTHER, uint256(appId));
        // it should refuse the old owner
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, DEV, OTHER));
        vm.prank(DEV);
        registry.releaseName(NAME);
        // it should let the new owner
        vm.prank(OTHER);
        registry.releaseName(NAME);
        vm.assertEq(registry.appOf(NAME), bytes32(0));
    }

    function test_ReleaseName_RevertWhen_OthersSend() public {
        _take(NAME);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, address(this), DEV));
        registry.releaseName(NAME);
    }

    function test_ReleaseName_RevertWhen_TheNameMeansNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, bytes32(0)));
        registry.releaseName(NAME);
    }

    function test_AppOf_WhenTheNameMeansNothing() public view {
        // it should be zero
        vm.assertEq(registry.appOf(NAME), bytes32(0));
    }
}
