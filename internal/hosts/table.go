package hosts

// Left out of the table on purpose, because there is no file to write whose contract is known:
//
//   - JetBrains AI Assistant, Cherry Studio: servers are kept inside the application; its settings page
//     takes the JSON of Cursor.
//   - 5ire: the sources disagree on the key and on list or mapping.
//   - Amazon Q's command line: which of its files is read depends on a setting of the agent.
//   - GitHub Copilot in JetBrains on macOS and Linux: only the place on Windows is documented.
//   - LibreChat: a server with a file wherever it is deployed, and no mcpm beside it.
//   - Sema4: the name of the file is not documented.
//
// The order is the one people see: what most of them use first.
var table = []Host{
	{
		ID: "claude-desktop", Name: "Claude Desktop", Format: JSON, Key: "mcpServers",
		AfterEdit: "restart Claude Desktop",
		files:     []file{{"any", User, "{base}/Claude/claude_desktop_config.json"}},
	},
	{
		ID: "claude-code", Name: "Claude Code", Format: JSON, Key: "mcpServers",
		AfterEdit: "start a new Claude Code session",
		files: []file{
			{"any", User, "{$CLAUDE_CONFIG_DIR}/.claude.json"},
			{"any", User, "{home}/.claude.json"},
			{"any", Project, "{project}/.mcp.json"},
		},
		detect: []file{{"any", User, "{$CLAUDE_CONFIG_DIR}"}, {"any", User, "{home}/.claude"}},
		shape:  shape{stdio: "stdio", remote: typed("http", "sse")},
	},
	{
		ID: "cursor", Name: "Cursor", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.cursor/mcp.json"}, {"any", Project, "{project}/.cursor/mcp.json"}},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "vscode", Name: "VS Code", Format: JSONC, Key: "servers",
		files:  []file{{"any", User, "{base}/Code/User/mcp.json"}, {"any", Project, "{project}/.vscode/mcp.json"}},
		detect: []file{{"any", User, "{base}/Code"}},
		shape:  shape{stdio: "stdio", remote: typed("http", "sse")},
	},
	{
		ID: "windsurf", Name: "Windsurf", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.codeium/windsurf/mcp_config.json"}},
		shape: shape{remote: untyped("serverUrl")},
	},
	{
		ID: "zed", Name: "Zed", Format: JSONC, Key: "context_servers",
		files: []file{
			{"linux", User, "{config}/zed/settings.json"},
			{"darwin", User, "{home}/.config/zed/settings.json"},
			{"windows", User, "{appdata}/Zed/settings.json"},
		},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "codex", Name: "Codex", Format: TOML, Key: "mcp_servers",
		AfterEdit: "start a new Codex session",
		files:     []file{{"any", User, "{$CODEX_HOME}/config.toml"}, {"any", User, "{home}/.codex/config.toml"}},
		shape:     shape{remote: map[string]remote{"streamable-http": {url: "url"}}, headers: "http_headers"},
	},
	{
		ID: "gemini-cli", Name: "Gemini CLI", Format: JSON, Key: "mcpServers",
		AfterEdit: "start Gemini CLI again",
		files:     []file{{"any", User, "{home}/.gemini/settings.json"}, {"any", Project, "{project}/.gemini/settings.json"}},
		detect:    []file{{"any", User, "{home}/.gemini/tmp"}}, // ~/.gemini alone is Antigravity's as well
		shape:     shape{remote: gemini},
	},
	{
		ID: "copilot-cli", Name: "GitHub Copilot CLI", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.copilot/mcp-config.json"}},
		shape: shape{stdio: "local", remote: typed("http", "sse"), always: []member{{"tools", []string{"*"}}}},
	},
	{
		ID: "cline", Name: "Cline", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{base}/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"}},
		detect: []file{{"any", User, "{base}/Code/User/globalStorage/saoudrizwan.claude-dev"}},
		shape:  shape{remote: typed("streamableHttp", "sse")},
	},
	{
		ID: "continue", Name: "Continue", Format: YAML, Key: "mcpServers", List: true,
		fresh: "name: Local Agent\nversion: 1.0.0\nschema: v1\n",
		files: []file{{"any", User, "{home}/.continue/config.yaml"}, {"any", Project, "{project}/.continue/config.yaml"}},
		shape: shape{stdio: "stdio", remote: typed("streamable-http", "sse"), headers: "requestOptions.headers"},
	},
	{
		ID: "goose", Name: "Goose", Format: YAML, Key: "extensions", named: true,
		AfterEdit: "start a new Goose session",
		files: []file{
			{"linux", User, "{config}/goose/config.yaml"},
			{"darwin", User, "{home}/.config/goose/config.yaml"},
			{"windows", User, "{appdata}/Block/goose/config/config.yaml"},
		},
		shape: shape{
			stdio: "stdio", command: "cmd", env: "envs",
			remote: map[string]remote{"streamable-http": {"streamable_http", "uri"}, "sse": {"sse", "uri"}},
			always: []member{{"enabled", true}, {"timeout", 300}},
		},
	},
	{
		ID: "opencode", Name: "opencode", Format: JSONC, Key: "mcp",
		AfterEdit: "start opencode again",
		files: []file{
			{"linux", User, "{config}/opencode/opencode.json"},
			{"darwin", User, "{home}/.config/opencode/opencode.json"},
			{"windows", User, "{home}/.config/opencode/opencode.json"},
		},
		shape: shape{stdio: "local", joined: true, env: "environment", remote: typed("remote", "remote"), always: []member{{"enabled", true}}},
	},
	{
		ID: "kiro", Name: "Kiro", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{home}/.kiro/settings/mcp.json"}, {"any", Project, "{project}/.kiro/settings/mcp.json"}},
		detect: []file{{"any", User, "{home}/.kiro"}},
		shape:  shape{remote: untyped("url")},
	},
	{
		ID: "amazon-q", Name: "Amazon Q Developer", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.aws/amazonq/default.json"}, {"any", Project, "{project}/.amazonq/default.json"}},
		shape: shape{remote: map[string]remote{"streamable-http": {"http", "url"}}},
	},
	{
		ID: "vscode-insiders", Name: "VS Code Insiders", Format: JSONC, Key: "servers",
		files:  []file{{"any", User, "{base}/Code - Insiders/User/mcp.json"}, {"any", Project, "{project}/.vscode/mcp.json"}},
		detect: []file{{"any", User, "{base}/Code - Insiders"}},
		shape:  shape{stdio: "stdio", remote: typed("http", "sse")},
	},
	{
		ID: "vscode-server", Name: "VS Code Server", Format: JSONC, Key: "servers",
		files:  []file{{"any", User, "{home}/.vscode-server/data/User/mcp.json"}},
		detect: []file{{"any", User, "{home}/.vscode-server"}},
		shape:  shape{stdio: "stdio", remote: typed("http", "sse")},
	},
	{
		ID: "visual-studio", Name: "Visual Studio", Format: JSON, Key: "servers",
		files:  []file{{"windows", User, "{home}/.mcp.json"}, {"windows", Project, "{project}/.mcp.json"}},
		detect: []file{{"windows", User, "{localappdata}/Microsoft/VisualStudio"}},
		shape:  shape{stdio: "stdio", remote: typed("http", "sse")},
	},
	{
		ID: "copilot-jetbrains", Name: "GitHub Copilot in JetBrains", Format: JSON, Key: "servers",
		files: []file{{"windows", User, "{localappdata}/github-copilot/intellij/mcp.json"}},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "junie", Name: "Junie", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{home}/.junie/mcp/mcp.json"}, {"any", Project, "{project}/.junie/mcp/mcp.json"}},
		detect: []file{{"any", User, "{home}/.junie"}},
	},
	{
		ID: "windsurf-jetbrains", Name: "Windsurf in JetBrains", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{home}/.codeium/mcp_config.json"}},
		detect: []file{{"any", User, "{home}/.codeium/mcp_config.json"}}, // ~/.codeium alone is the editor's as well
		shape:  shape{remote: untyped("serverUrl")},
	},
	{
		ID: "cline-cursor", Name: "Cline in Cursor", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{base}/Cursor/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"}},
		detect: []file{{"any", User, "{base}/Cursor/User/globalStorage/saoudrizwan.claude-dev"}},
		shape:  shape{remote: typed("streamableHttp", "sse")},
	},
	{
		ID: "cline-remote", Name: "Cline on a remote machine", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{home}/.cline/data/settings/cline_mcp_settings.json"}},
		detect: []file{{"any", User, "{home}/.cline"}},
		shape:  shape{remote: typed("streamableHttp", "sse")},
	},
	{
		ID: "roo-code", Name: "Roo Code", Format: JSON, Key: "mcpServers",
		files: []file{
			{"any", User, "{base}/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json"},
			{"any", Project, "{project}/.roo/mcp.json"},
		},
		detect: []file{{"any", User, "{base}/Code/User/globalStorage/rooveterinaryinc.roo-cline"}},
		shape:  shape{remote: typed("streamable-http", "sse")},
	},
	{
		ID: "antigravity", Name: "Antigravity", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.gemini/antigravity/mcp_config.json"}},
		shape: shape{remote: untyped("serverUrl")},
	},
	{
		ID: "lm-studio", Name: "LM Studio", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.lmstudio/mcp.json"}},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "amp", Name: "Amp", Format: JSONC, Key: "amp.mcpServers",
		files: []file{
			{"linux", User, "{config}/amp/settings.json"},
			{"darwin", User, "{home}/.config/amp/settings.json"},
			{"windows", User, "{appdata}/amp/settings.json"},
		},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "warp", Name: "Warp", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.warp/.mcp.json"}, {"any", Project, "{project}/.warp/.mcp.json"}},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "trae", Name: "Trae", Format: JSON, Key: "mcpServers",
		files:  []file{{"any", User, "{base}/Trae/User/mcp.json"}},
		detect: []file{{"any", User, "{base}/Trae"}},
		shape:  shape{remote: untyped("url")},
	},
	{
		ID: "qwen-code", Name: "Qwen Code", Format: JSON, Key: "mcpServers",
		AfterEdit: "start Qwen Code again",
		files:     []file{{"any", User, "{home}/.qwen/settings.json"}},
		shape:     shape{remote: gemini},
	},
	{
		ID: "crush", Name: "Crush", Format: JSON, Key: "mcp",
		files: []file{
			{"linux", User, "{config}/crush/crush.json"},
			{"darwin", User, "{home}/.config/crush/crush.json"},
			{"windows", User, "{localappdata}/crush/crush.json"},
			{"any", Project, "{project}/.crush.json"},
		},
		shape: shape{stdio: "stdio", remote: typed("http", "sse")},
	},
	{
		ID: "mistral-vibe", Name: "Mistral Vibe", Format: TOML, Key: "mcp_servers", List: true,
		files: []file{{"any", User, "{home}/.vibe/config.toml"}, {"any", Project, "{project}/.vibe/config.toml"}},
		shape: shape{kind: "transport", stdio: "stdio", remote: map[string]remote{"streamable-http": {"streamable-http", "url"}}},
	},
	{
		ID: "kimi-cli", Name: "Kimi CLI", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.kimi/mcp.json"}},
		shape: shape{remote: untyped("url")},
	},
	{
		ID: "factory", Name: "Factory Droid", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.factory/mcp.json"}},
		shape: shape{stdio: "stdio", remote: map[string]remote{"streamable-http": {"http", "url"}}},
	},
	{
		ID: "qoder", Name: "Qoder", Format: JSON, Key: "mcpServers",
		files: []file{
			{"windows", User, "{appdata}/Qoder/SharedClientCache/mcp.json"},
			{"linux", User, "{home}/.qoder/mcp.json"},
			{"darwin", User, "{home}/.qoder/mcp.json"},
		},
		shape: shape{remote: map[string]remote{"streamable-http": {"http", "url"}}},
	},
	{
		ID: "witsy", Name: "Witsy", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{base}/Witsy/settings.json"}},
	},
	{
		ID: "enconvo", Name: "Enconvo", Format: JSON, Key: "mcpServers",
		files: []file{{"darwin", User, "{home}/.config/enconvo/mcp_config.json"}},
	},
	{
		ID: "boltai", Name: "BoltAI", Format: JSON, Key: "mcpServers",
		files: []file{{"darwin", User, "{home}/.boltai/mcp.json"}},
	},
	{
		ID: "tome", Name: "Tome", Format: JSON, Key: "mcpServers",
		files: []file{{"any", User, "{home}/.tome/mcp_config.json"}},
	},
}
