// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { vm } from "../test/utils/Vm.sol";

/// @title Creates contracts from the committed artifacts
/// @notice Scripts and tests run the very bytes that `cargo xtask contracts` wrote, whatever settings they themselves are
/// compiled with.
library Artifacts {
    /// @dev The constructor's own revert passes through.
    function create(string memory name, bytes memory arguments) internal returns (address made) {
        string memory path = string.concat("artifacts/", name, ".json");
        bytes memory code = bytes.concat(vm.parseJsonBytes(vm.readFile(path), ".bytecode"), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }
}
