/*
 * The scripts of the journal. Their only key is a hash whose name ends with `:journal`; all other names begin with it, and share its
 * slot in Redis Cluster:
 *
 *     …:journal                     for each namespace: `e` and its name, the epoch and the id at which it began, the history and the
 *                                   id at which it began; `n` and its name, the id of the latest event
 *     …:journal:namespaces          for each namespace: when a node has last said that it has it
 *     …:journal:events:<namespace>  the stream of its events, `<id>-0`
 *     …:journal:nodes               for each node that publishes: when it said last that it lives
 *     …:journal:sent:<node>         for each namespace: the number of the node's latest item
 *     …:journal:states:<node>       for each of its sockets: `<pid> <namespace>`, and `<when it left, or 0> <when it was last taken over,
 *                                   or 0> <state>`; and in an empty field a mark, which stays when others have taken over all states
 *     …:journal:revoked:<node>      for each state that another node has taken over, and of which the node has yet to hear:
 *                                   `<pid> <namespace>`, and when
 *
 * Everything ends by itself some time after the last node has. Times are those of Redis, in ms.
 */

/** Begins each script. */
const COMMON = `
local base = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end

-- Where a namespace is, as text: the epoch, its birth, the history, its origin; and the id. Another epoch begins if it is broken, and
-- another history if there is none, or ids that the caller knows are lost.
local function place(namespace, known, position, new, isBroken)
  local found = redis.call('HGET', base, 'e' .. namespace)
  local epoch, history = string.match(found or '', '^(%S+) %d+ (%S+ %d+)$')
  local id = tonumber(redis.call('HGET', base, 'n' .. namespace) or '0')
  if not epoch then redis.call('DEL', base .. ':events:' .. namespace) end
  local isLost = not epoch or (epoch == known and id < tonumber(position))
  if isLost then history = new .. ' ' .. text(id) end
  if isLost or isBroken then
    found = table.concat({ new, text(id), history }, ' ')
    redis.call('HSET', base, 'e' .. namespace, found, 'n' .. namespace, text(id))
    redis.call('ZADD', base .. ':namespaces', text(now), namespace)
  end
  return found, id
end

local function publish(channel, found, id, publisher, first, namespace, items, from)
  local lengths, texts = { #namespace }, { '', namespace }
  for i = from, #items do
    lengths[#lengths + 1] = #items[i]
    texts[#texts + 1] = items[i]
  end
  texts[1] = table.concat({ found, text(id), text(now), publisher, text(first), table.concat(lengths, ',') }, ' ') .. '\\n'
  redis.call('PUBLISH', channel, table.concat(texts))
end
`;

/**
 * Adds the items of a node, and publishes them. What it has of them already is skipped.
 *
 *     ARGV     the channel, the namespace, the node, the epoch and the id that the node knows, a new epoch, the number of the first
 *              item, the id up to which events may be dropped, how many are kept at most, how long all of it stays, the items
 *     returns  the epoch and what belongs to it, the latest id, the time
 */
export const APPEND: string = `${COMMON}
local channel, namespace, node = ARGV[1], ARGV[2], ARGV[3]
local first, oldest, most, stay = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local sent, events = base .. ':sent:' .. node, base .. ':events:' .. namespace
local last = tonumber(redis.call('HGET', sent, namespace) or '')
if last and first > last + 1 then return redis.error_reply('TIDEWIRE items are missing') end
local found, id = place(namespace, ARGV[4], ARGV[5], ARGV[6], false)
local from = 11
if last then from = from + last + 1 - first end
if from <= #ARGV then
  local before = id
  for i = from, #ARGV do
    if string.sub(ARGV[i], 1, 1) == 'E' then
      id = id + 1
      local seq = text(first + i - 11)
      redis.call('XADD', events, text(id) .. '-0', 'i', ARGV[i], 'b', node, 's', seq, 't', text(now))
    end
  end
  if id > before then
    redis.call('HSET', base, 'n' .. namespace, text(id))
    redis.call('XTRIM', events, 'MAXLEN', '~', text(math.min(most, id - oldest)))
    redis.call('PEXPIRE', events, stay)
    redis.call('PEXPIRE', base, stay)
  end
  redis.call('HSET', sent, namespace, text(first + #ARGV - 11))
  redis.call('PEXPIRE', sent, stay)
  publish(channel, found, before, node, first + from - 11, namespace, ARGV, from)
end
return { found, text(id), text(now) }
`;

/**
 * Returns events.
 *
 *     ARGV     the namespace, the first id, the last id, how many at most
 *     returns  for each: its id, its item, its node, the number of the item, its time
 */
export const READ: string = `
local entries = redis.call('XRANGE', KEYS[1] .. ':events:' .. ARGV[1], ARGV[2] .. '-0', ARGV[3] .. '-0', 'COUNT', ARGV[4])
local result = {}
for _, entry in ipairs(entries) do
  local fields = entry[2]
  result[#result + 1] = string.match(entry[1], '^%d+')
  for i = 2, 8, 2 do result[#result + 1] = fields[i] end
end
return result
`;

/**
 * Says that a node lives, forgets those that have died, and creates what is missing.
 *
 *     ARGV     the node, how long states stay, how long all else stays, the mark of its states that the node knows, a new mark; twice
 *              the number of states that others have taken over and of which it has heard, for each of them: its field, when; for
 *              each namespace: its name, the epoch and the id that the node knows, a new epoch
 *     returns  whether the states of the node were lost, and have the new mark (0 or 1); twice the number of other states that others
 *              have taken over, for each of them: its field, when; for each namespace: its epoch and what belongs to it, the latest id,
 *              the time
 */
export const RENEW: string = `${COMMON}
local node, stay = ARGV[1], tonumber(ARGV[3])
local nodes = base .. ':nodes'
redis.call('HSET', nodes, node, text(now))
local fields = redis.call('HGETALL', nodes)
for i = 1, #fields, 2 do
  if tonumber(fields[i + 1]) < now - stay then redis.call('HDEL', nodes, fields[i]) end
end
local states = base .. ':states:' .. node
local result = { 0 }
-- Redis removes a hash without fields, and a node whose states others have taken over must not think that they were lost. A node that
-- has not got the answer still knows the mark before.
if redis.call('HGET', states, '') ~= ARGV[4] then
  redis.call('HSET', states, '', ARGV[5])
  result[1] = 1
end
redis.call('PEXPIRE', states, ARGV[2])
redis.call('PEXPIRE', nodes, stay)
redis.call('PEXPIRE', base .. ':sent:' .. node, stay)
local revoked = base .. ':revoked:' .. node
local first = 7 + tonumber(ARGV[6])
for i = 7, first - 1, 2 do
  if redis.call('HGET', revoked, ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', revoked, ARGV[i]) end
end
redis.call('PEXPIRE', revoked, ARGV[2])
local untold = redis.call('HGETALL', revoked)
result[2] = #untold
for _, value in ipairs(untold) do result[#result + 1] = value end
local has, namespaces = {}, base .. ':namespaces'
for i = first, #ARGV, 4 do
  has[ARGV[i]] = true
  redis.call('ZADD', namespaces, text(now), ARGV[i])
  local found, id = place(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], false)
  redis.call('PEXPIRE', base .. ':events:' .. ARGV[i], stay)
  for _, value in ipairs({ found, text(id), text(now) }) do result[#result + 1] = value end
end
redis.call('PEXPIRE', base, stay)
redis.call('PEXPIRE', namespaces, stay)
-- Of a namespace that no node has had for so long, nobody can be recovered.
for _, name in ipairs(redis.call('ZRANGEBYSCORE', namespaces, '-inf', text(now - stay), 'LIMIT', 0, 1000)) do
  redis.call('HDEL', base, 'e' .. name, 'n' .. name)
  redis.call('ZREM', namespaces, name)
end
-- When the node has one of the others again, it begins at another number.
local sent = base .. ':sent:' .. node
if redis.call('HLEN', sent) > (#ARGV - first + 1) / 4 then
  for _, name in ipairs(redis.call('HKEYS', sent)) do
    if not has[name] then redis.call('HDEL', sent, name) end
  end
end
return result
`;

/**
 * Goes on after items of a node did not come here.
 *
 *     ARGV     the channel, the namespace, the node, the number of its latest item, a new epoch, whether it has to begin (0 or 1), how
 *              long all of it stays
 *     returns  the epoch and what belongs to it, the latest id, the time
 */
export const RESUME: string = `${COMMON}
local namespace, sent = ARGV[2], base .. ':sent:' .. ARGV[3]
local found, id = place(namespace, '', 0, ARGV[5], ARGV[6] == '1')
redis.call('HSET', sent, namespace, ARGV[4])
redis.call('PEXPIRE', sent, ARGV[7])
redis.call('PEXPIRE', base, ARGV[7])
if ARGV[6] == '1' then publish(ARGV[1], found, id, ARGV[3], tonumber(ARGV[4]) + 1, namespace, {}, 1) end
return { found, text(id), text(now) }
`;

/**
 * Changes states of a node.
 *
 *     ARGV     the node, how long they stay; for each: its field, the state or nothing to remove it, and `n` if it may be new, `l` if
 *              its socket has left
 */
export const WRITE: string = `${COMMON}
local states, revoked = base .. ':states:' .. ARGV[1], base .. ':revoked:' .. ARGV[1]
for i = 3, #ARGV, 3 do
  local field, state, flags = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if state == '' then
    redis.call('HDEL', states, field)
  else
    local found = redis.call('HGET', states, field)
    if found or (string.find(flags, 'n') and redis.call('HEXISTS', revoked, field) == 0) then
      local left = string.find(flags, 'l') and text(now) or '0'
      local taken = string.match(found or '', '^%d+ (%d+)') or '0'
      redis.call('HSET', states, field, table.concat({ left, taken, state }, ' '))
    end
  end
end
if redis.call('PTTL', states) == -1 then redis.call('PEXPIRE', states, ARGV[2]) end
`;

/**
 * Takes over the state of a socket.
 *
 *     ARGV     the node that takes it, the namespace, the field, how long states wait, how long they stay, the epoch and the id that
 *              the node knows, a new epoch
 *     returns  nothing, or the state, whose it was, when it was taken over, when its socket left or when that node last said that it
 *              lived, the epoch and what belongs to it, the latest id, the time
 */
export const TAKE: string = `${COMMON}
local node, namespace, field = ARGV[1], ARGV[2], ARGV[3]
local nodes = redis.call('HGETALL', base .. ':nodes')
for i = 1, #nodes, 2 do
  local states = base .. ':states:' .. nodes[i]
  local left, taken, state = string.match(redis.call('HGET', states, field) or '', '^(%d+) (%d+) (.*)$')
  if state then
    local own = base .. ':states:' .. node
    left = tonumber(left)
    if left > 0 and now - left > tonumber(ARGV[4]) then
      redis.call('HDEL', states, field)
      return {}
    end
    -- Of two nodes that take it over within one millisecond, too, one is later.
    taken = text(math.max(now, tonumber(taken) + 1))
    if states ~= own then
      local revoked = base .. ':revoked:' .. nodes[i]
      redis.call('HDEL', states, field)
      redis.call('HSET', revoked, field, taken)
      redis.call('PEXPIRE', revoked, ARGV[5])
    end
    redis.call('HDEL', base .. ':revoked:' .. node, field)
    redis.call('HSET', own, field, table.concat({ text(left), taken, state }, ' '))
    if redis.call('PTTL', own) == -1 then redis.call('PEXPIRE', own, ARGV[5]) end
    local alive = left > 0 and text(left) or nodes[i + 1]
    local found, id = place(namespace, ARGV[6], ARGV[7], ARGV[8], false)
    return { state, nodes[i], taken, alive, found, text(id), text(now) }
  end
end
return {}
`;
