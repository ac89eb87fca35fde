// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { vm } from "../test/utils/Vm.sol";
import { Deployed, Deployment, DeploymentRequest } from "./Deployment.sol";

/// @title Deploys Sealwork from the command line
/// @notice Environment: SEALWORK_DEPLOYER, SEALWORK_GOVERNOR, SEALWORK_FEE_RECIPIENT, SEALWORK_CAS_MEMBERS (ascending,
/// separated by commas), SEALWORK_CAS_THRESHOLD; optional SEALWORK_TOKEN (default: a new DevToken), SEALWORK_FEE_BPS
/// (default 0). Order of creation: see Deployment. The addresses go to deployments/CHAIN_ID.json.
contract Deploy {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_SCRIPT = true;

    function run() external returns (Deployed memory made) {
        address deployer = vm.envAddress("SEALWORK_DEPLOYER");
        DeploymentRequest memory request = DeploymentRequest({
            deployer: deployer,
            nonce: vm.getNonce(deployer),
            token: vm.envOr("SEALWORK_TOKEN", address(0)),
            governor: vm.envAddress("SEALWORK_GOVERNOR"),
            feeRecipient: vm.envAddress("SEALWORK_FEE_RECIPIENT"),
            feeBps: _toUint16(vm.envOr("SEALWORK_FEE_BPS", uint256(0))),
            members: vm.envAddress("SEALWORK_CAS_MEMBERS", ","),
            threshold: _toUint8(vm.envUint("SEALWORK_CAS_THRESHOLD"))
        });
        vm.startBroadcast();
        made = Deployment.create(request);
        vm.stopBroadcast();
        string memory path = string.concat("deployments/", vm.toString(block.chainid), ".json");
        vm.writeFile(path, _json(made));
    }

    /// @dev The part `contracts` of a network document.
    function _json(Deployed memory made) private pure returns (string memory) {
        string memory first = string.concat(
            _entry("registry", address(made.registry)),
            _entry("market", address(made.market)),
            _entry("attestations", address(made.attestations)),
            _entry("batches", address(made.batches))
        );
        return string.concat(
            "{\n",
            first,
            _entry("channels", address(made.channels)),
            _entry("book", address(made.book)),
            '  "token": "',
            vm.toString(made.token),
            '"\n}\n'
        );
    }

    function _entry(string memory name, address found) private pure returns (string memory) {
        return string.concat('  "', name, '": "', vm.toString(found), '",\n');
    }

    function _toUint16(uint256 value) private pure returns (uint16) {
        require(value <= type(uint16).max, "SEALWORK_FEE_BPS is too large");
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(value);
    }

    function _toUint8(uint256 value) private pure returns (uint8) {
        require(value <= type(uint8).max, "SEALWORK_CAS_THRESHOLD is too large");
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint8(value);
    }
}
