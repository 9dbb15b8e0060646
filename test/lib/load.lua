-- SPDX-License-Identifier: BSD-2-Clause
-- Load for wrk in which every request has an id of its own in its URL.
-- Environment: LAB_RUN (prefix of the ids), LAB_URL (path, may have a query),
-- LAB_BODY (bytes of a POST body), LAB_PIPE (requests in one write),
-- LAB_CLOSE (1: a connection for each request), LAB_DELAY (milliseconds that a
-- connection rests before each request).
local run = os.getenv("LAB_RUN") or "r"
local url = os.getenv("LAB_URL") or "/b100"
local size = tonumber(os.getenv("LAB_BODY") or "0")
local pipe = tonumber(os.getenv("LAB_PIPE") or "1")
local close = os.getenv("LAB_CLOSE") == "1"
local rest = tonumber(os.getenv("LAB_DELAY") or "0")
local threads, n, id, tail, method = 0, 0, "", "", "GET"

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init()
	id = (url:find("?", 1, true) and "&" or "?") .. "id=" .. run .. "-" ..
	     number .. "-"
	tail = " HTTP/1.1\r\nHost: lab\r\n" ..
	       (close and "Connection: close\r\n" or "")
	if size > 0 then
		method = "POST"
		tail = tail .. "Content-Length: " .. size .. "\r\n\r\n" ..
		       string.rep("x", size)
	else
		tail = tail .. "\r\n"
	end
end

function request()
	local all = {}
	for i = 1, pipe do
		n = n + 1
		all[i] = method .. " " .. url .. id .. n .. tail
	end
	return table.concat(all)
end

if rest > 0 then
	function delay()
		return rest
	end
end
