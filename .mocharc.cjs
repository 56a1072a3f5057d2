{
  "node-option": ["conditions=@tidewire/source", "import=tsx/esm"],
  "extension": ["ts"],
  "timeout": 20000,
  "forbid-only": true,
  "require": ["./test/support/uws/load-first.ts"]
}
