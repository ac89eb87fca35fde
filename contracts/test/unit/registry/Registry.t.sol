// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRegistry } from "../../../src/interfaces/IRegistry.sol";
import { App, Dataset, Kind, Pool } from "../../../src/types/Records.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Registrations, and the tokens that they are.
contract RegistryTest is UnitFixture {
    function _unknown(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistry.NotRegistered.selector, id);
    }

    function _notOwner(bytes32 id, address caller, address owner) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistry.NotOwner.selector, id, caller, owner);
    }

    function test_RegisterApp_WhenTheCallerIsTheOwner() public {
        bytes32 id = registry.predictId(Kind.APP, address(this), "manifest");
        // it should emit AppRegistered
        vm.expectEmit();
        emit IRegistry.AppRegistered(id, address(this), "manifest", "code", "policy", "A name");
        vm.assertEq(registry.registerApp(address(this), "manifest", "code", "policy", "A name"), id);
        // it should mint the token
        vm.assertEq(registry.ownerOf(uint256(id)), address(this));
    }

    function test_RegisterApp_WhenOthersRegisteredTheManifest() public {
        // it should give another id
        vm.assertTrue(registry.registerApp(address(this), keccak256("app"), CODE, POLICY, "app") != appId);
    }

    function test_RegisterApp_WhenTheNameHas64Bytes() public {
        // it should register it
        string memory name = "0123456789012345678901234567890123456789012345678901234567890123";
        vm.assertTrue(registry.registerApp(address(this), "manifest", CODE, POLICY, name) != 0);
    }

    function test_RegisterApp_RevertWhen_TheNameIsTooLong() public {
        string memory name = "0123456789012345678901234567890123456789012345678901234567890123+";
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NameTooLong.selector, 65, 64));
        registry.registerApp(address(this), "manifest", CODE, POLICY, name);
    }

    function test_RegisterApp_RevertWhen_TheManifestIsRegistered() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.AlreadyRegistered.selector, appId));
        vm.prank(DEV);
        registry.registerApp(DEV, keccak256("app"), "other", "other", "app");
    }

    function test_RegisterApp_RevertWhen_TheManifestIsRegisteredAndSold() public {
        vm.startPrank(DEV);
        registry.transferFrom(DEV, OTHER, uint256(appId));
        vm.expectRevert(abi.encodeWithSelector(IRegistry.AlreadyRegistered.selector, appId));
        registry.registerApp(DEV, keccak256("app"), CODE, POLICY, "app");
        vm.stopPrank();
    }

    function test_RegisterApp_RevertWhen_TheOwnerIsAnother() public {
        bytes32 id = registry.predictId(Kind.APP, DEV, "manifest");
        vm.expectRevert(_notOwner(id, address(this), DEV));
        registry.registerApp(DEV, "manifest", CODE, POLICY, "app");
    }

    function test_RegisterDataset_WhenTheCallerIsTheOwner() public {
        bytes32 id = registry.predictId(Kind.DATASET, address(this), "manifest");
        // it should emit DatasetRegistered
        vm.expectEmit();
        emit IRegistry.DatasetRegistered(id, address(this), "manifest", "content");
        vm.assertEq(registry.registerDataset(address(this), "manifest", "content"), id);
    }

    function test_RegisterDataset_RevertWhen_TheManifestIsRegistered() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.AlreadyRegistered.selector, datasetIds[0]));
        vm.prank(DATA);
        registry.registerDataset(DATA, keccak256("first"), "other");
    }

    function test_RegisterDataset_RevertWhen_TheOwnerIsAnother() public {
        bytes32 id = registry.predictId(Kind.DATASET, DEV, "manifest");
        vm.expectRevert(_notOwner(id, address(this), DEV));
        registry.registerDataset(DEV, "manifest", "content");
    }

    function test_RegisterPool_WhenTheCallerIsTheOwner() public {
        bytes32 id = registry.predictId(Kind.POOL, address(this), "manifest");
        // it should emit PoolRegistered
        vm.expectEmit();
        emit IRegistry.PoolRegistered(id, address(this), "manifest");
        vm.assertEq(registry.registerPool(address(this), "manifest"), id);
    }

    function test_RegisterPool_RevertWhen_TheManifestIsRegistered() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistry.AlreadyRegistered.selector, poolId));
        vm.prank(HOST);
        registry.registerPool(HOST, keccak256("pool"));
    }

    function test_RegisterPool_RevertWhen_TheOwnerIsAnother() public {
        bytes32 id = registry.predictId(Kind.POOL, DEV, "manifest");
        vm.expectRevert(_notOwner(id, address(this), DEV));
        registry.registerPool(DEV, "manifest");
    }

    function test_App_WhenItIsRegistered() public view {
        // it should be what was registered
        App memory app = registry.app(appId);
        vm.assertEq(app.owner, DEV);
        vm.assertEq(app.manifestHash, keccak256("app"));
        vm.assertEq(app.codeHash, CODE);
        vm.assertEq(app.policyHash, POLICY);
        vm.assertEq(app.version, 1);
    }

    function test_App_RevertWhen_TheKindDiffers() public {
        vm.expectRevert(_unknown(poolId));
        registry.app(poolId);
    }

    function test_Dataset_WhenItIsRegistered() public view {
        // it should be what was registered
        Dataset memory dataset = registry.dataset(datasetIds[0]);
        vm.assertEq(dataset.owner, DATA);
        vm.assertEq(dataset.manifestHash, keccak256("first"));
        vm.assertEq(dataset.contentDigest, keccak256("data"));
        vm.assertEq(dataset.version, 1);
    }

    function test_Dataset_RevertWhen_TheKindDiffers() public {
        vm.expectRevert(_unknown(appId));
        registry.dataset(appId);
    }

    function test_Pool_WhenItIsRegistered() public view {
        // it should be what was registered
        Pool memory pool = registry.pool(poolId);
        vm.assertEq(pool.owner, HOST);
        vm.assertEq(pool.manifestHash, keccak256("pool"));
        vm.assertEq(pool.version, 1);
    }

    function test_Pool_RevertWhen_TheKindDiffers() public {
        vm.expectRevert(_unknown(appId));
        registry.pool(appId);
    }

    function test_Parties_WhenBothAreRegistered() public view {
        // it should be what a match needs
        (address developer, bytes32 policy, address poolOwner) = registry.parties(appId, poolId);
        vm.assertEq(developer, DEV);
        vm.assertEq(policy, POLICY);
        vm.assertEq(poolOwner, HOST);
    }

    function test_Parties_RevertWhen_TheAppIsUnknown() public {
        vm.expectRevert(_unknown("none"));
        registry.parties("none", poolId);
    }

    function test_Parties_RevertWhen_ThePoolIsUnknown() public {
        vm.expectRevert(_unknown(appId));
        registry.parties(appId, appId);
    }

    function test_AppPolicy_WhenItIsRegistered() public view {
        // it should be its owner and policy
        (address owner, bytes32 policy) = registry.appPolicy(appId);
        vm.assertEq(owner, DEV);
        vm.assertEq(policy, POLICY);
    }

    function test_AppPolicy_RevertWhen_TheAppIsUnknown() public {
        vm.expectRevert(_unknown("none"));
        registry.appPolicy("none");
    }

    function test_OwnerOfKind_WhenTheKindFits() public view {
        // it should be the owner
        vm.assertEq(registry.ownerOfKind(Kind.APP, appId), DEV);
        vm.assertEq(registry.ownerOfKind(Kind.DATASET, datasetIds[1]), DATA);
        vm.assertEq(registry.ownerOfKind(Kind.POOL, poolId), HOST);
    }

    function test_OwnerOfKind_RevertWhen_TheKindDiffers() public {
        vm.expectRevert(_unknown(appId));
        registry.ownerOfKind(Kind.POOL, appId);
        vm.expectRevert(_unknown("none"));
        registry.ownerOfKind(0, "none");
    }

    function test_PredictId_WhenAsked() public view {
        // it should follow from chain, registry, kind, first owner and manifest
        bytes32 expected = keccak256(abi.encode(block.chainid, address(registry), Kind.APP, DEV, keccak256("app")));
        vm.assertEq(registry.predictId(Kind.APP, DEV, keccak256("app")), expected);
        vm.assertEq(appId, expected);
    }

    function test_PredictId_WhenTheChainIsAnother() public {
        vm.chainId(block.chainid + 1);
        bytes32 expected = keccak256(abi.encode(block.chainid, address(registry), Kind.APP, DEV, keccak256("app")));
        // it should be another id
        vm.assertTrue(expected != appId);
        vm.assertEq(registry.predictId(Kind.APP, DEV, keccak256("app")), expected);
    }

    function test_TransferFrom_WhenTheOwnerSells() public {
        vm.prank(DEV);
        registry.transferFrom(DEV, OTHER, uint256(appId));
        // it should move the rights, and keep kind and version
        vm.assertEq(registry.app(appId).owner, OTHER);
        vm.assertEq(registry.app(appId).version, 1);
        vm.prank(OTHER);
        registry.announceUpdate(appId, "manifest", "code", "policy");
        vm.expectRevert(_notOwner(appId, DEV, OTHER));
        vm.prank(DEV);
        registry.announceUpdate(appId, "manifest", "code", "policy");
    }

    function test_TokenURI_WhenTheTokenIsAPool() public {
        bytes32 manifest = 0x00000000000000000000000000000000000000000000000000000000000000ab;
        bytes32 id = registry.registerPool(address(this), manifest);
        // it should name the manifest by its CID
        vm.assertEq(
            registry.tokenURI(uint256(id)),
            "ipfs://f0155122000000000000000000000000000000000000000000000000000000000000000ab"
        );
    }

    function test_TokenURI_RevertWhen_ThereIsNone() public {
        vm.expectRevert(_unknown(bytes32(0)));
        registry.tokenURI(0);
    }

    function test_Name_WhenAsked() public view {
        // it should be that of the token
        vm.assertEq(registry.name(), "Sealwork Registry");
    }

    function test_Symbol_WhenAsked() public view {
        // it should be that of the token
        vm.assertEq(registry.symbol(), "SWR");
    }

    function test_SupportsInterface_WhenAsked() public view {
        // it should know tokens
        vm.assertTrue(registry.supportsInterface(0x80ac58cd));
    }
}
