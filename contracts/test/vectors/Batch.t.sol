// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Restriction } from "../../src/libraries/Restriction.sol";
import { vm } from "../utils/Vm.sol";
import { MerkleProofLib } from "solady/utils/MerkleProofLib.sol";

/// @dev Reads the Merkle trees that the Rust test `crates/sealwork-protocol/tests/batch_vectors.rs` writes.
contract BatchVectorsTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    uint256 private constant BATCHES = 7;
    string private _json;

    function setUp() public {
        _json = vm.readFile("../spec/vectors/batch.json");
    }

    function _words(string memory key) private view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(_json, key);
    }

    /// @dev Every path leads to the root from its own leaf, and not from a neighbor.
    function _checkTree(string memory tree) private view {
        bytes32 root = vm.parseJsonBytes32(_json, string.concat(tree, ".root"));
        bytes32[] memory leaves = _words(string.concat(tree, ".leaves"));
        for (uint256 i = 0; i < leaves.length; ++i) {
            bytes32[] memory path = _words(string.concat(tree, ".paths[", vm.toString(i), "]"));
            vm.assertTrue(MerkleProofLib.verify(path, root, leaves[i]));
            bytes32 other = leaves[(i + 1) % leaves.length];
            vm.assertTrue(other == leaves[i] || !MerkleProofLib.verify(path, root, other));
        }
    }

    function test_Batches() public view {
        for (uint256 i = 0; i < BATCHES; ++i) {
            string memory batch = string.concat(".batches[", vm.toString(i), "]");
            uint256 size = vm.parseJsonUint(_json, string.concat(batch, ".size"));
            vm.assertEq(_words(string.concat(batch, ".leaves")).length, size);
            _checkTree(batch);
        }
    }

    function test_AllowList() public view {
        bytes32[] memory members = _words(".allowList.members");
        bytes32[] memory leaves = _words(".allowList.leaves");
        vm.assertEq(members.length, leaves.length);
        for (uint256 i = 0; i < members.length; ++i) {
            vm.assertEq(Restriction.leaf(members[i]), leaves[i]);
        }
        _checkTree(".allowList");
    }
}
