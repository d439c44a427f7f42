-- ngx.re.
local C = ...
local ffi = require "ffi"
local S, out, size = C.S, C.out, C.size

ffi.cdef [[
void seawall_lua_re_free(void *pattern);
void *seawall_lua_re_compile(const char *text, size_t size, const char *letters, size_t letters_size, const char **out, size_t *out_size);
int seawall_lua_re_groups(void *pattern);
const size_t *seawall_lua_re_match(void *pattern, const char *text, size_t size, size_t from, int dfa, int *error);
int seawall_lua_re_name(void *pattern, int index, const char **out, size_t *size);
int seawall_lua_re_cache_size();
]]

local failed = C.buffer "int[1]"
local none = ffi.cast("size_t", -1LL)  -- of a plain -1 LuaJIT may make 2^63
local cache, cached = {}, 0

local function compile(text, letters)
  local code = S.seawall_lua_re_compile(text, #text, letters, #letters, out, size)
  if code == nil then return nil, ffi.string(out[0], size[0]) end
  local names, i = nil, 0
  while true do
    local group = S.seawall_lua_re_name(code, i, out, size)
    if group == 0 then break end
    names = names or {}
    i = i + 1
    names[i] = { ffi.string(out[0], size[0]), group }
  end
  return {
    code = ffi.gc(code, S.seawall_lua_re_free), groups = S.seawall_lua_re_groups(code), names = names,
    dfa = letters:find("d", 1, true) and 1 or 0, utf = letters:lower():find("u", 1, true) ~= nil,
    many = letters:find("D", 1, true) ~= nil,
  }
end

local function pattern_of(text, letters)
  local of = cache[letters]
  local known = of and of[text]
  if known then return known end
  local pattern, why = compile(text, letters)
  if not pattern then
    if why:sub(1, 12) == "unknown flag" then error(why .. " (flags \"" .. letters .. "\")", 4) end
    return nil, why
  end
  if letters:find("o", 1, true) then
    if cached < S.seawall_lua_re_cache_size() then
      cached = cached + 1
      if not of then
        of = {}
        cache[letters] = of
      end
      of[text] = pattern
      pattern.kept = true
    end
  end
  return pattern
end

-- One that nobody keeps goes at once: the collector does not know how much it holds.
local function drop(pattern)
  if pattern.kept then return end
  ffi.gc(pattern.code, nil)
  S.seawall_lua_re_free(pattern.code)
  pattern.code = nil
end

local function exec(pattern, text, from)
  local at = S.seawall_lua_re_match(pattern.code, text, #text, from, pattern.dfa, failed)
  if at ~= nil then return at end
  if failed[0] ~= 0 then return nil, "pcre_exec() failed: " .. failed[0] end
end

local function captures(pattern, at, text, into)
  local m = into or {}
  local groups = pattern.dfa == 1 and 0 or pattern.groups
  for i = 0, groups do
    local from = at[2 * i]
    if from == none then m[i] = false
    else m[i] = text:sub(tonumber(from) + 1, tonumber(at[2 * i + 1])) end
  end
  if pattern.names and pattern.dfa == 0 then
    for i = 1, #pattern.names do
      local name, group = pattern.names[i][1], pattern.names[i][2]
      local value = m[group]
      if pattern.many then
        if value then
          local known = rawget(m, name)
          if not known then m[name] = { value } else known[#known + 1] = value end
        end
      else
        m[name] = value
      end
    end
  end
  return m
end

local function string_of(value, index, name)
  if type(value) == "string" then return value end
  if type(value) == "number" then return tostring(value) end
  if value == nil then error("bad argument #" .. index .. " to '" .. name .. "' (string expected, got nil)", 4) end
  return tostring(value)
end

local function start_of(context)
  if context and context.pos then
    if type(context) ~= "table" then error("bad argument #4", 4) end
    return context.pos < 1 and 0 or context.pos - 1
  end
  return 0
end

function ngx.re.match(subject, regex, letters, context, into)
  local text = string_of(subject, 1, "match")
  local pattern, why = pattern_of(string_of(regex, 2, "match"), letters or "")
  if not pattern then return nil, why end
  local from = start_of(context)
  if from > #text then return nil end
  local at, err = exec(pattern, text, from)
  if not at then
    drop(pattern)
    return nil, err
  end
  if context then context.pos = tonumber(at[1]) + 1 end
  local m = captures(pattern, at, text, into)
  drop(pattern)
  return m
end

function ngx.re.find(subject, regex, letters, context, nth)
  local text = string_of(subject, 1, "find")
  local pattern, why = pattern_of(string_of(regex, 2, "find"), letters or "")
  if not pattern then return nil, nil, why end
  local from = start_of(context)
  if from > #text then return nil end
  nth = nth or 0
  if type(nth) ~= "number" or nth < 0 or nth ~= math.floor(nth) or nth > (pattern.dfa == 1 and 0 or pattern.groups) then
    drop(pattern)
    return nil, nil, "nth out of bound"
  end
  local at, err = exec(pattern, text, from)
  if not at then
    drop(pattern)
    return nil, nil, err
  end
  if context then context.pos = tonumber(at[1]) + 1 end
  local first, last
  if at[2 * nth] ~= none then first, last = tonumber(at[2 * nth]) + 1, tonumber(at[2 * nth + 1]) end
  drop(pattern)
  return first, last
end

-- The next place to look at behind an empty match.
local function behind(pattern, text, at)
  at = at + 1
  if pattern.utf then
    while at < #text do
      local byte = text:byte(at + 1)
      if byte < 0x80 or byte >= 0xC0 then break end
      at = at + 1
    end
  end
  return at
end

function ngx.re.gmatch(subject, regex, letters)
  local text = string_of(subject, 1, "gmatch")
  local pattern, why = pattern_of(string_of(regex, 2, "gmatch"), letters or "")
  if not pattern then return nil, why end
  local from = 0
  return function()
    if not from or from > #text then return nil end
    local at, err = exec(pattern, text, from)
    if not at then
      from = nil
      if err then return nil, err end
      return nil
    end
    local first, last = tonumber(at[0]), tonumber(at[1])
    local m = captures(pattern, at, text)
    from = last > first and last or behind(pattern, text, last)
    return m
  end
end

-- A replacement as a list: texts, and numbers of groups.
local templates, template_count = {}, 0
local function template_of(text)
  local known = templates[text]
  if known then return known end
  local parts, i = {}, 1
  while i <= #text do
    local dollar = text:find("$", i, true)
    if not dollar then
      parts[#parts + 1] = text:sub(i)
      break
    end
    if dollar > i then parts[#parts + 1] = text:sub(i, dollar - 1) end
    local digits = text:match("^%d+", dollar + 1)
    local braced = text:match("^{(%d+)}", dollar + 1)
    if text:sub(dollar + 1, dollar + 1) == "$" then
      parts[#parts + 1] = "$"
      i = dollar + 2
    elseif digits then
      parts[#parts + 1] = tonumber(digits)
      i = dollar + 1 + #digits
    elseif braced then
      parts[#parts + 1] = tonumber(braced)
      i = dollar + 3 + #braced
    else
      local open, name = text:match("^({?)([%w_]+)", dollar + 1)
      if not name then return nil, 'invalid capturing variable name found in "' .. text .. '"' end
      if open == "{" and text:sub(dollar + 2 + #name, dollar + 2 + #name) ~= "}" then
        return nil, 'the closing bracket in "' .. name .. '" variable is missing'
      end
      return nil, 'attempt to use named capturing variable "' .. name .. '" (named captures not supported yet)'
    end
  end
  if template_count < 1024 then
    template_count = template_count + 1
    templates[text] = parts
  end
  return parts
end

local function substitute(subject, regex, replacement, letters, global, name)
  local text = string_of(subject, 1, name)
  local pattern, why = pattern_of(string_of(regex, 2, name), letters or "")
  if not pattern then return nil, nil, why end
  local parts
  if type(replacement) ~= "function" then
    if type(replacement) ~= "string" and type(replacement) ~= "number" then
      error("bad argument #3 to '" .. name .. "' (string or function expected, got " .. type(replacement) .. ")", 3)
    end
    parts, why = template_of(tostring(replacement))
    if not parts then
      C.raw_log(ngx.ERR, "lua script: " .. why)
      return nil, nil, "failed to compile the replacement template"
    end
  end
  local done, count, from, copied = {}, 0, 0, 0
  while from <= #text do
    local at, err = exec(pattern, text, from)
    if not at then
      if err then return nil, nil, err end
      break
    end
    count = count + 1
    local first, last = tonumber(at[0]), tonumber(at[1])
    done[#done + 1] = text:sub(copied + 1, first)
    if parts then
      for i = 1, #parts do
        local part = parts[i]
        if type(part) == "string" then
          done[#done + 1] = part
        elseif part <= (pattern.dfa == 1 and 0 or pattern.groups) and at[2 * part] ~= none then
          done[#done + 1] = text:sub(tonumber(at[2 * part]) + 1, tonumber(at[2 * part + 1]))
        end
      end
    else
      done[#done + 1] = tostring(replacement(captures(pattern, at, text)))
    end
    copied = last
    from = last > first and last or behind(pattern, text, last)
    if not global then break end
  end
  drop(pattern)
  if count == 0 then return text, 0 end
  done[#done + 1] = text:sub(copied + 1)
  return table.concat(done), count
end

function ngx.re.sub(subject, regex, replacement, letters) return substitute(subject, regex, replacement, letters, false, "sub") end
function ngx.re.gsub(subject, regex, replacement, letters) return substitute(subject, regex, replacement, letters, true, "gsub") end

local re = {}
function re.split(subject, regex, letters, context, max, into)
  local text = string_of(subject, 1, "split")
  local pattern, why = pattern_of(string_of(regex, 2, "split"), letters or "")
  if not pattern then return nil, why end
  local parts, n = into or {}, 0
  local from = start_of(context)
  local begin = from
  max = max and max > 0 and max or nil
  while from < #text and (not max or n + 1 < max) do
    local at, err = exec(pattern, text, from)
    if not at then
      if err then return nil, err end
      break
    end
    local first, last = tonumber(at[0]), tonumber(at[1])
    if last == first then
      if first >= #text then break end
      -- An empty match divides behind the next character.
      if first == begin then
        from = behind(pattern, text, first)
        if from >= #text then break end
        first, last = from, from
        at = nil
      end
    end
    n = n + 1
    parts[n] = text:sub(begin + 1, first)
    if at then
      for i = 1, pattern.dfa == 1 and 0 or pattern.groups do
        if at[2 * i] ~= none then
          n = n + 1
          parts[n] = text:sub(tonumber(at[2 * i]) + 1, tonumber(at[2 * i + 1]))
        end
      end
    end
    begin = last
    from = last
  end
  drop(pattern)
  n = n + 1
  parts[n] = text:sub(begin + 1)
  for i = #parts, n + 1, -1 do parts[i] = nil end
  return parts
end
function re.opt(option, value)
  if option ~= "jit_stack_size" then error('unrecognized option name', 2) end
  return true, value
end
package.loaded["ngx.re"] = re
