/**
 * Renews the lease of a node, unless another one has its id, and returns the nodes that can be found.
 *
 * One hash per cluster has a field for each id: when its lease ends, by the clock of Redis, the epoch of its node, and its address,
 * which is empty once the node has left: nobody else takes the id before the lease ends.
 *
 *     KEYS[1]  the hash
 *     ARGV     the channel of changes, the lease in ms, and, of a node that has an id: the id, its epoch, its address
 *     returns  whether another node has the id (0 or 1), then the id and the address of each other node
 */
export const RENEW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local channel, lease, id, epoch, address = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local result, isKnown = { 0 }, false
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local ends, owner, at = string.match(fields[i + 1], '^(%d+) (%S+) (%S*)$')
  if not ends or tonumber(ends) < now then
    redis.call('HDEL', KEYS[1], fields[i])
  elseif fields[i] == id then
    if owner ~= epoch then result[1] = 1 end
    isKnown = at == address
  elseif at ~= '' then
    result[#result + 1] = fields[i]
    result[#result + 1] = at
  end
end
if id and result[1] == 0 then
  redis.call('HSET', KEYS[1], id, string.format('%.0f %s %s', now + lease, epoch, address))
  if redis.call('PTTL', KEYS[1]) < lease then redis.call('PEXPIRE', KEYS[1], lease) end
  if not isKnown then redis.call('PUBLISH', channel, id) end
end
return result
`;
