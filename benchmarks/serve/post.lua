-- Script of wrk: posts the bodies of a file in turn and prints the result as a line of JSON.
-- wrk … -s post.lua URL -- FILE HEADER VALUE [HEADER VALUE …]; FILE: for each body a line with its length, then the body.

local requests, turn = {}, 0

function init(args)
  local headers = {}
  for place = 2, #args, 2 do headers[args[place]] = args[place + 1] end
  local file = assert(io.open(args[1], "rb"))
  local length = file:read("*l")
  while length do
    requests[#requests + 1] = wrk.format("POST", nil, headers, file:read(tonumber(length)))
    file:read("*l")
    length = file:read("*l")
  end
  file:close()
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"error_responses":%d,"connection_errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
