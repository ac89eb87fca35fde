// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { Membership, Orders } from "../../../src/types/Orders.sol";
import { Kind } from "../../../src/types/Records.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { Group, OddGroup } from "../../utils/Parties.sol";
import { vm } from "../../utils/Vm.sol";
import { cheats } from "../support/Cheats.sol";
import { Merkle } from "../support/Merkle.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Whom orders allow: by id or address, by a group contract, by an allow-list or, for apps, by a policy.
contract RestrictionsTest is UnitFixture {
    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _restricted(uint8 kind, bytes32 restriction, bytes32 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.Restricted.selector, kind, restriction, given);
    }

    function test_WhenIdsAndAddressesAreAllowed() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].dataset = datasetIds[0];
        bundle.request.datasets[1] = datasetIds[0];
        bundle.app.datasetRestrict = datasetIds[0];
        bundle.app.poolRestrict = poolId;
        bundle.app.requesterRestrict = _word(USER);
        bundle.pool.appRestrict = appId;
        bundle.pool.datasetRestrict = datasetIds[0];
        bundle.pool.requesterRestrict = _word(USER);
        bundle.request.poolRestrict = poolId;
        bundle.datasets[0].appRestrict = appId;
        bundle.datasets[0].poolRestrict = poolId;
        bundle.datasets[0].requesterRestrict = _word(USER);
        // it should match
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
    }

    function test_RevertWhen_TheAppOrderAllowsAnotherDataset() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.app.datasetRestrict = datasetIds[0];
        _submit(bundle, _restricted(Kind.DATASET, datasetIds[0], datasetIds[1]));
    }

    function test_RevertWhen_TheAppOrderAllowsAnotherPool() public {
        Bundle memory bundle = _bundle();
        bundle.app.poolRestrict = appId;
        _submit(bundle, _restricted(Kind.POOL, appId, poolId));
    }

    function test_RevertWhen_TheAppOrderAllowsAnotherRequester() public {
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = _word(OTHER);
        _submit(bundle, _restricted(Kind.REQUESTER, _word(OTHER), _word(USER)));
    }

    function test_RevertWhen_ThePoolOrderAllowsAnotherApp() public {
        Bundle memory bundle = _bundle();
        bundle.pool.appRestrict = poolId;
        _submit(bundle, _restricted(Kind.APP, poolId, appId));
    }

    function test_RevertWhen_ThePoolOrderAllowsAnotherDataset() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.pool.datasetRestrict = datasetIds[1];
        _submit(bundle, _restricted(Kind.DATASET, datasetIds[1], datasetIds[0]));
    }

    function test_RevertWhen_ThePoolOrderAllowsAnotherRequester() public {
        Bundle memory bundle = _bundle();
        bundle.pool.requesterRestrict = _word(OTHER);
        _submit(bundle, _restricted(Kind.REQUESTER, _word(OTHER), _word(USER)));
    }

    function test_RevertWhen_TheRequestAllowsAnotherPool() public {
        Bundle memory bundle = _bundle();
        bundle.request.poolRestrict = appId;
        _submit(bundle, _restricted(Kind.POOL, appId, poolId));
    }

    function test_RevertWhen_ADatasetOrderAllowsAnotherApp() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].appRestrict = poolId;
        _submit(bundle, _restricted(Kind.APP, poolId, appId));
    }

    function test_RevertWhen_ADatasetOrderAllowsAnotherPool() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].poolRestrict = appId;
        _submit(bundle, _restricted(Kind.POOL, appId, poolId));
    }

    function test_RevertWhen_ADatasetOrderAllowsAnotherRequester() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].requesterRestrict = _word(OTHER);
        _submit(bundle, _restricted(Kind.REQUESTER, _word(OTHER), _word(USER)));
    }

    function test_WhenAGroupContractAdmits() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.app.requesterRestrict = _word(address(new Group(_word(USER))));
        bundle.request.poolRestrict = _word(address(new Group(poolId)));
        bundle.datasets[0].appRestrict = _word(address(new Group(appId)));
        // it should match
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
    }

    function test_RevertWhen_AGroupContractRefuses() public {
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = _word(address(new Group(_word(OTHER))));
        _submit(bundle, _restricted(Kind.REQUESTER, bundle.app.requesterRestrict, _word(USER)));
    }

    function test_RevertWhen_AGroupContractAnswersNoBool() public {
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = _word(address(new OddGroup()));
        _submit(bundle, _restricted(Kind.REQUESTER, bundle.app.requesterRestrict, _word(USER)));
    }

    function test_RevertWhen_AGroupContractFails() public {
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = _word(address(token));
        _submit(bundle, _restricted(Kind.REQUESTER, bundle.app.requesterRestrict, _word(USER)));
    }

    function _groupOf(bytes memory code) private {
        cheats.etch(address(0x6001), code);
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = _word(address(0x6001));
        _submit(bundle, _restricted(Kind.REQUESTER, bundle.app.requesterRestrict, _word(USER)));
    }

    function test_RevertWhen_AGroupContractFailsWithTheAnswerForAMember() public {
        // PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, REVERT
        _groupOf(hex"60015f5260205ffd");
    }

    function test_RevertWhen_AGroupContractAnswersNothing() public {
        // STOP
        _groupOf(hex"00");
    }

    function _leaf(bytes32 member) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(member))));
    }

    /// @dev A list of five with `member` at one place.
    function _list(bytes32 member, uint256 place) private pure returns (Membership[] memory proofs) {
        bytes32[] memory leaves = new bytes32[](5);
        for (uint256 i = 0; i < 5; ++i) {
            leaves[i] = _leaf(i == place ? member : bytes32(i));
        }
        proofs = new Membership[](1);
        proofs[0] = Membership(Merkle.root(leaves), member, Merkle.path(leaves, place));
    }

    function test_WhenAnAllowListHasTheParty() public {
        Bundle memory bundle = _bundle();
        for (uint256 i = 0; i < 5; ++i) {
            Membership[] memory proofs = _list(_word(USER), i);
            bundle.app.requesterRestrict = proofs[0].root;
            bundle.request.salt = bytes32(i);
            Orders memory orders = _orders(bundle);
            orders.memberships = proofs;
            // it should match from every place of the list
            vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
        }
    }

    function test_WhenSeveralAllowListsHaveTheirParties() public {
        Membership[] memory user = _list(_word(USER), 1);
        Membership[] memory pool = _list(poolId, 4);
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = user[0].root;
        bundle.pool.requesterRestrict = user[0].root;
        bundle.request.poolRestrict = pool[0].root;
        Orders memory orders = _orders(bundle);
        orders.memberships = new Membership[](2);
        orders.memberships[0] = pool[0];
        orders.memberships[1] = user[0];
        // it should match
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function test_WhenOneAllowListHasSeveralParties() public {
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (_leaf(datasetIds[0]), _leaf(datasetIds[1]));
        bytes32 root = Merkle.root(leaves);
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.pool.datasetRestrict = root;
        Orders memory orders = _orders(bundle);
        orders.memberships = new Membership[](2);
        orders.memberships[0] = Membership(root, datasetIds[0], Merkle.path(leaves, 0));
        orders.memberships[1] = Membership(root, datasetIds[1], Merkle.path(leaves, 1));
        // it should match
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function test_WhenAPartyStandsInSeveralAllowLists() public {
        Membership[] memory first = _list(poolId, 1);
        Membership[] memory second = _list(poolId, 4);
        Bundle memory bundle = _bundle();
        bundle.app.poolRestrict = first[0].root;
        bundle.request.poolRestrict = second[0].root;
        Orders memory orders = _orders(bundle);
        orders.memberships = new Membership[](2);
        orders.memberships[0] = first[0];
        orders.memberships[1] = second[0];
        // it should match
        vm.assertEq(market.deal(market.matchOrders(orders)).volume, 3);
    }

    function _refused(Membership[] memory proofs, bytes32 root) private {
        Bundle memory bundle = _bundle();
        bundle.app.requesterRestrict = root;
        Orders memory orders = _orders(bundle);
        orders.memberships = proofs;
        _matchFails(orders, _restricted(Kind.REQUESTER, root, _word(USER)));
    }

    function test_RevertWhen_AnAllowListHasNoProof() public {
        _refused(new Membership[](0), _list(_word(USER), 2)[0].root);
    }

    function test_RevertWhen_ThePathIsWrong() public {
        Membership[] memory proofs = _list(_word(USER), 2);
        proofs[0].path[0] = "wrong";
        _refused(proofs, proofs[0].root);
    }

    function test_RevertWhen_ThePathIsTooShort() public {
        Membership[] memory proofs = _list(_word(USER), 2);
        proofs[0].path = new bytes32[](0);
        _refused(proofs, proofs[0].root);
    }

    function test_RevertWhen_TheRootIsAnother() public {
        Membership[] memory proofs = _list(_word(USER), 2);
        _refused(proofs, keccak256("another root"));
    }

    function test_RevertWhen_TheProofIsForAnotherMember() public {
        Membership[] memory proofs = _list(_word(OTHER), 2);
        _refused(proofs, proofs[0].root);
    }

    function test_RevertWhen_AnInnerNodePassesForAMember() public {
        // The root of one leaf hashed once would be this.
        bytes32 root = keccak256(abi.encode(_word(USER)));
        Membership[] memory proofs = new Membership[](1);
        proofs[0] = Membership(root, _word(USER), new bytes32[](0));
        _refused(proofs, root);
    }

    function _pinned() private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("sealwork/v1/policy-restriction"), POLICY));
    }

    function test_WhenTheAppIsNamedByItsPolicy() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.pool.appRestrict = _pinned();
        bundle.datasets[0].appRestrict = _pinned();
        // it should match
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
    }

    function test_RevertWhen_TheBarePolicyHashIsNamed() public {
        Bundle memory bundle = _bundle();
        bundle.pool.appRestrict = POLICY;
        _submit(bundle, _restricted(Kind.APP, POLICY, appId));
    }

    function test_RevertWhen_TheNamedPolicyIsNoLongerTheApps() public {
        vm.prank(DEV);
        registry.announceUpdate(appId, "manifest", "code", "new policy");
        vm.warp(block.timestamp + Params.APP_UPDATE_DELAY_S);
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.request.policyHash = "new policy";
        bundle.datasets[0].appRestrict = _pinned();
        _submit(bundle, _restricted(Kind.APP, _pinned(), appId));
    }
}
