// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRegistry } from "../../src/interfaces/IRegistry.sol";
import { App, Dataset, Kind, Pool } from "../../src/types/Records.sol";
import { Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

contract RegistryTest is Fixture {
    function test_RegistrationsCanBeRead() public view {
        App memory app = registry.app(appId);
        vm.assertEq(app.owner, vm.addr(DEVELOPER));
        vm.assertEq(app.manifestHash, keccak256("app"));
        vm.assertEq(app.codeHash, CODE);
        vm.assertEq(app.policyHash, POLICY);
        vm.assertEq(app.version, 1);
        Dataset memory dataset = registry.dataset(datasetIds[0]);
        vm.assertEq(dataset.owner, vm.addr(DATA_OWNER));
        vm.assertEq(dataset.manifestHash, keccak256("first"));
        vm.assertEq(dataset.contentDigest, keccak256("data"));
        Pool memory pool = registry.pool(poolId);
        vm.assertEq(pool.owner, vm.addr(POOL_OWNER));
        vm.assertEq(pool.manifestHash, keccak256("pool"));
        (address owner, bytes32 code, bytes32 policy) = registry.appCode(appId);
        vm.assertEq(owner, vm.addr(DEVELOPER));
        vm.assertEq(code, CODE);
        vm.assertEq(policy, POLICY);
    }

    function test_IdsAreTokensAndFollowFromTheFirstOwner() public view {
        bytes32 expected =
            keccak256(abi.encode(block.chainid, address(registry), Kind.APP, vm.addr(DEVELOPER), keccak256("app")));
        vm.assertEq(appId, expected);
        vm.assertEq(appId, registry.predictId(Kind.APP, vm.addr(DEVELOPER), keccak256("app")));
        vm.assertEq(registry.ownerOf(uint256(appId)), vm.addr(DEVELOPER));
        vm.assertTrue(registry.supportsInterface(0x80ac58cd));
        vm.assertEq(registry.name(), "Sealwork Registry");
        vm.assertEq(registry.symbol(), "SWR");
    }

    function test_TokenUriNamesTheManifest() public {
        bytes32 manifest = 0x00000000000000000000000000000000000000000000000000000000000000ab;
        bytes32 id = registry.registerPool(address(this), manifest);
        vm.assertEq(
            registry.tokenURI(uint256(id)),
            "ipfs://f0155122000000000000000000000000000000000000000000000000000000000000000ab"
        );
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, bytes32(0)));
        registry.tokenURI(0);
    }

    function test_UpdateRaisesTheVersion() public {
        vm.expectEmit();
        emit IRegistry.AppUpdated(appId, 2, keccak256("m"), keccak256("c"), keccak256("p"));
        vm.prank(vm.addr(DEVELOPER));
        registry.updateApp(appId, keccak256("m"), keccak256("c"), keccak256("p"));
        App memory app = registry.app(appId);
        vm.assertEq(app.version, 2);
        vm.assertEq(app.owner, vm.addr(DEVELOPER));
        vm.assertEq(app.manifestHash, keccak256("m"));
        vm.assertEq(app.codeHash, keccak256("c"));
        vm.assertEq(app.policyHash, keccak256("p"));
    }

    function test_OwnershipMovesAndKeepsKindAndVersion() public {
        vm.prank(vm.addr(DEVELOPER));
        registry.transferFrom(vm.addr(DEVELOPER), address(this), uint256(appId));
        registry.updateApp(appId, keccak256("m"), CODE, POLICY);
        vm.assertEq(registry.app(appId).version, 2);
        vm.assertEq(registry.ownerOfKind(Kind.APP, appId), address(this));
    }

    function test_RevertWhen_RegisteredTwice() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.AlreadyRegistered.selector, appId));
        vm.prank(vm.addr(DEVELOPER));
        registry.registerApp(vm.addr(DEVELOPER), keccak256("app"), CODE, POLICY, "app");
    }

    function test_RevertWhen_CallerIsNotTheOwner() public {
        address owner = vm.addr(DEVELOPER);
        bytes32 id = registry.predictId(Kind.POOL, owner, keccak256("x"));
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, id, address(this), owner));
        registry.registerPool(owner, keccak256("x"));
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotOwner.selector, appId, address(this), owner));
        registry.updateApp(appId, 0, 0, 0);
    }

    function test_RevertWhen_KindDiffers() public {
        bytes memory poolMissing = abi.encodeWithSelector(IRegistry.NotRegistered.selector, poolId);
        vm.expectRevert(poolMissing);
        registry.app(poolId);
        vm.expectRevert(poolMissing);
        registry.appCode(poolId);
        vm.expectRevert(poolMissing);
        registry.dataset(poolId);
        vm.expectRevert(poolMissing);
        registry.updateApp(poolId, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, appId));
        registry.pool(appId);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, bytes32(uint256(1))));
        registry.ownerOfKind(0, bytes32(uint256(1)));
    }

    function test_RevertWhen_NameIsTooLong() public {
        string memory name = "0123456789012345678901234567890123456789012345678901234567890123+";
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NameTooLong.selector, 65, 64));
        registry.registerApp(address(this), keccak256("x"), CODE, POLICY, name);
    }
}
