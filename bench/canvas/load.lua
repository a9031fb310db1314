-- Asks for a random blueprint in every request, and counts answers that are not what was asked for. Reads BODY, a request with the word KEY in the place of the blueprint's key, TOKEN and BLUEPRINTS.
local body = os.getenv("BODY")
local before, after = body:match("^(.-)KEY(.*)$")
local blueprints = tonumber(os.getenv("BLUEPRINTS"))
local token = os.getenv("TOKEN")
local threads = {}
local beginning = '{"data":{"blueprint":{"id":"'

wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json"
if token and token ~= "" then wrk.headers["authorization"] = "Bearer " .. token end

function setup(thread) table.insert(threads, thread) end

function init()
  math.randomseed(os.time())
  bad = 0
  first = ""
end

function request()
  return wrk.format(nil, nil, nil, before .. string.format("blueprint-%04d", math.random(blueprints)) .. after)
end

-- Looks only at both ends of the answer, where errors would be: to search it all costs as much as many a server.
function response(status, headers, answer)
  if status ~= 200 or answer:sub(1, #beginning) ~= beginning or answer:sub(-4) ~= "]}}}" then
    if bad == 0 then first = status .. " " .. answer:sub(1, 300) end
    bad = bad + 1
  end
end

function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("bad")
    if thread:get("first") ~= "" then io.stderr:write(thread:get("first"), "\n") end
  end
  local errors = summary.errors
  bad = bad + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('RESULT {"requests":%d,"seconds":%f,"bad":%d,"bytes":%d,"p50":%f,"p99":%f}\n',
    summary.requests, summary.duration / 1e6, bad, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
