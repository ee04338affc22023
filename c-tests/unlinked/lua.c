/*
 * A program that embeds Lua and has Lua functions as handlers; one of them calls error(), which leaves
 * through rsig_pump() and rsig_sleep(). tests/lua.rs runs it. Exit status 0: all is well.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <poll.h>
#include <rsig.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* The coroutine that pumps; an error must go to its pcall(). */
static lua_State *running;

/* Calls the Lua function that is registered under the signal's number. */
static int call_lua(int signum, const rsig_siginfo_t *info, void *arg) {
    lua_State *lua = running;
    (void)arg;
    luaL_checkstack(lua, 4, "handler");
    lua_pushinteger(lua, signum);
    lua_gettable(lua, LUA_REGISTRYINDEX);
    lua_pushinteger(lua, signum);
    lua_pushinteger(lua, (lua_Integer)info->count);
    lua_call(lua, 2, 1);
    int result = (int)lua_tointeger(lua, -1);
    lua_pop(lua, 1);
    return result;
}

/* on(signum, function) */
static int on(lua_State *lua) {
    int signum = (int)luaL_checkinteger(lua, 1);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_pushinteger(lua, signum);
    lua_pushvalue(lua, 2);
    lua_settable(lua, LUA_REGISTRYINDEX);
    lua_pushinteger(lua, rsig_signal(signum, call_lua, NULL, NULL));
    return 1;
}

static int lua_raise(lua_State *lua) {
    raise((int)luaL_checkinteger(lua, 1));
    return 0;
}

static int lua_pump(lua_State *lua) {
    running = lua;
    lua_pushinteger(lua, rsig_pump());
    return 1;
}

static int lua_sleep(lua_State *lua) {
    running = lua;
    lua_pushinteger(lua, rsig_sleep((double)luaL_checknumber(lua, 1)));
    return 1;
}

/* alarm(seconds): SIGALRM, once */
static int lua_alarm(lua_State *lua) {
    double seconds = (double)luaL_checknumber(lua, 1);
    lua_pushinteger(lua, rsig_setitimer(ITIMER_REAL, seconds, 0, NULL));
    return 1;
}

static int lua_tripped(lua_State *lua) {
    struct pollfd now = {.fd = rsig_fd(), .events = POLLIN};
    lua_pushinteger(lua, rsig_tripped());
    lua_pushinteger(lua, poll(&now, 1, 0));
    return 2;
}

static const char script[] =
    "local ran = 0\n"
    "local function count(signum, deliveries) ran = ran + deliveries return 0 end\n"
    "local function fail(signum) error('refused by ' .. signum, 0) end\n"
    "local function check_tripped(expected)\n"
    "  local now, readable = tripped()\n"
    "  assert(now == expected and readable == expected)\n"
    "end\n"
    "assert(on(USR1, fail) == 0 and on(USR2, count) == 0 and on(ALRM, fail) == 0)\n"
    "check_tripped(0)\n"
    /* Through rsig_pump(): the error arrives, what else was pending stays and runs. */
    "for i = 1, 1000 do\n"
    "  raise(USR2) raise(USR1)\n"
    "  local ok, message = pcall(pump)\n"
    "  assert(not ok and message == 'refused by ' .. USR1, message)\n"
    "  assert(ran == i - 1)\n"
    "  check_tripped(1)\n"
    "  assert(pump() == 1 and ran == i)\n"
    "  check_tripped(0)\n"
    "end\n"
    /* Through rsig_sleep(), first with something pending, then out of its sleep. */
    "raise(USR1)\n"
    "local ok, message = pcall(sleep, 1e9)\n"
    "assert(not ok and message == 'refused by ' .. USR1, message)\n"
    "for i = 1, 20 do\n"
    "  assert(alarm(0.001) == 0)\n"
    "  local ok, message = pcall(sleep, 1e9)\n"
    "  assert(not ok and message == 'refused by ' .. ALRM, message)\n"
    "  check_tripped(0)\n"
    "end\n"
    /* An error that the handler's own pcall() catches ends nothing. */
    "assert(on(ALRM, function(signum, n) pcall(fail, signum) return count(signum, n) end) == 0)\n"
    "ran = 0\n"
    "assert(alarm(0.001) == 0)\n"
    "assert(sleep(0.05) == 0 and ran == 1)\n"
    /* Within a coroutine. */
    "local co = coroutine.create(function() raise(USR1) pump() end)\n"
    "local ok, message = coroutine.resume(co)\n"
    "assert(not ok and message == 'refused by ' .. USR1, message)\n"
    "assert(pump() == 0)\n";

int main(void) {
    static const luaL_Reg functions[] = {
        {"on", on},       {"raise", lua_raise}, {"pump", lua_pump},
        {"sleep", lua_sleep}, {"alarm", lua_alarm}, {"tripped", lua_tripped},
    };
    static const struct {
        const char *name;
        int value;
    } numbers[] = {{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"ALRM", SIGALRM}};
    lua_State *lua = luaL_newstate();
    if (!lua || rsig_init(0) < 0 || rsig_fd() < 0) return 1;
    luaL_openlibs(lua);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        lua_pushcfunction(lua, functions[i].func);
        lua_setglobal(lua, functions[i].name);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        lua_pushinteger(lua, numbers[i].value);
        lua_setglobal(lua, numbers[i].name);
    }
    if (luaL_loadstring(lua, script) || lua_pcall(lua, 0, 0, 0)) {
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        return 1;
    }
    lua_close(lua);
    return rsig_fini() < 0;
}
