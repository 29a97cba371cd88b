"""Since when each public name of `ctx` and `ctx.app` is there: tables for the reference, complete by a test."""

from collections.abc import Mapping
from types import MappingProxyType

GUIDE, REFERENCE, NEWEST, OURS = "the guide", "the reference API", "the newest reference API", "llms 0.2"
MEANINGS = MappingProxyType(
    {
        GUIDE: "the published guide to server extensions has it. It will stay.",
        REFERENCE: "the guide does not mention it, but published extensions use it. It will stay.",
        NEWEST: "as above, in its newest releases only.",
        OURS: 'only here. An extension that needs it says `llms = ">=0.2"` in its `extension.toml`.',
    }
)
Origins = Mapping[str, str]  # since when -> names

CTX: Origins = MappingProxyType(
    {
        GUIDE: """
            app cli_args extra_args error_auth_required path name ext_prefix debug verbose aspect_ratios request_args
            disabled MOCK MOCK_DIR log log_json dbg err add_get add_post add_put add_delete add_patch add_static_files
            web_path register_chat_request_filter register_chat_tool_filter register_chat_response_filter
            register_chat_error_filter register_cache_saved_filter register_shutdown_handler register_tool
            get_tool_definition sanitize_tool_def exec_tool tool_result tool_result_part to_content chat_request
            chat_completion create_chat_with_tools chat_to_prompt chat_to_system_prompt last_user_prompt
            chat_response_to_message chat_to_aspect_ratio text_from_file json_from_file download_file
            session_download_file read_binary_file get_cache_path save_image_to_cache save_bytes_to_cache
            cache_message_inline_data get_providers get_provider add_provider check_auth get_session get_username
            get_user_path context_to_username get_config get_file_mime_type to_file_info group_resources
            should_cancel_thread error_message error_response register_ui_extension add_importmaps add_index_header
            add_index_footer
        """,
        REFERENCE: """
            config limits mode is_local sessions oauth_states threads media projects register_chat_status_filter
            register_startup_handler register_cleanup_handler register_setup_user_handler parse_json_response
            next_loading_message compact_messages run_command get_home_path get_registered_provider assert_username
            is_auth_enabled is_admin enabled_auth set_auth_provider get_user_prefs get_user_pref set_user_pref
            get_user_avatar_path get_profile_avatar_path remove_avatar_files set_allowed_directories
            add_allowed_directory get_allowed_directories resolve_directory resolve_allowed_directories
            create_error_response get_client_timeout
        """,
        NEWEST: "register_provider_handler notify_sidebar",
        OURS: """
            home settings store http spawn schedule register_chat_delta_filter register_tool_call_filter
            register_settings_handler get_tools json_for_user undo
        """,
    }
)
APP: Origins = MappingProxyType(
    {
        GUIDE: """
            cli_args extra_args config auth_enabled ui_extensions tools tool_definitions tool_groups all_providers
            import_maps index_headers index_footers aspect_ratios request_args
        """,
        REFERENCE: """
            set_config extensions loaded last_seen server_add_get server_add_post server_add_put server_add_delete
            server_add_patch is_auth_enabled auth_provider auth_extension sessions oauth_states error_auth_required
            aliased_directories allowed_directories chat_request_filters chat_tool_filters chat_status_filters
            chat_response_filters chat_error_filters cache_saved_filters startup_handlers cleanup_handlers
            shutdown_handlers setup_user_handlers on_chat_error on_chat_status on_chat_tool on_cache_saved_filters
            shutdown exit
        """,
        NEWEST: "contextual_tool_providers",
    }
)


def since(origins: Origins, name: str) -> str | None:
    """Since when `name` is there; None where nobody has said."""
    return next((origin for origin, names in origins.items() if name in names.split()), None)
