export default { serverExternalPackages: ["@tidewire/server"] };
