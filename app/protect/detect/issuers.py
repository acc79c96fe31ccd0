"""How the keys and tokens of well-known issuers begin."""

from __future__ import annotations

# Public prefixes of issuers, each with the least length of what follows.
PREFIXES = {
    # Cloud and hosting
    "AKIA": 16, "ASIA": 16, "ABIA": 16, "ACCA": 16, "AROA": 16, "AIDA": 16, "LTAI": 12, "AKID": 24, "AIza": 30,
    "GOCSPX-": 20, "dop_v1_": 32, "doo_v1_": 32, "dor_v1_": 32, "HRKU-": 20, "pscale_tkn_": 20, "pscale_pw_": 20,
    "nfp_": 30, "sbp_": 30, "sb_secret_": 20, "vcp_": 20, "fo1_": 30, "rnd_": 24, "CFPAT-": 30,
    # Code and packages
    "ghp_": 30, "gho_": 30, "ghu_": 30, "ghs_": 30, "ghr_": 30, "github_pat_": 30, "glpat-": 16, "gldt-": 16,
    "glrt-": 16, "glcbt-": 16, "glptt-": 30, "glft-": 16, "glsoat-": 16, "glimt-": 16, "gloas-": 30, "npm_": 30,
    "pypi-": 40, "rubygems_": 40, "dckr_pat_": 20, "dckr_oat_": 20, "ATATT3": 40, "ATBB": 24, "lin_api_": 30,
    "CLOJARS_": 40, "oy2": 40, "pul-": 40, "sgp_": 30, "sntrys_": 40, "sntryu_": 40, "glsa_": 30, "glc_": 30,
    "NRAK-": 24, "PMAK-": 30, "dapi": 32, "ntn_": 30, "secret_": 40, "figd_": 30, "phx_": 30, "bkua_": 30,
    "tfp_": 30, "rdme_": 40, "xkeysib-": 40, "aio_": 26, "EZAK": 40, "EZTK": 40, "CCIPAT_": 20,
    # Chat and messages
    "xoxb-": 20, "xoxp-": 20, "xoxa-": 20, "xoxr-": 20, "xoxs-": 20, "xoxe-": 20, "xoxc-": 20, "xoxd-": 20,
    "xapp-": 20, "key-": 32,
    # Payments
    "sk_live_": 16, "sk_test_": 16, "rk_live_": 16, "rk_test_": 16, "pk_live_": 16, "pk_test_": 16, "whsec_": 24,
    "sq0atp-": 20, "sq0csp-": 20, "FLWSECK-": 20, "FLWSECK_TEST-": 12, "rzp_live_": 14, "rzp_test_": 14,
    "shpat_": 30, "shpss_": 30, "shpca_": 30, "shppa_": 30, "duffel_live_": 30, "access_token_prod": 16,
    # Language models
    "sk-": 20, "sk_": 40, "hf_": 30, "gsk_": 40, "xai-": 40, "pplx-": 40, "r8_": 30, "nvapi-": 40, "tvly-": 20,
    "fw_": 22, "co_": 40, "ls__": 30, "lsv2_pt_": 30, "lsv2_sk_": 30, "sk-ant-": 20, "jina_": 40, "api_org_": 30,
    # Secret stores
    "AGE-SECRET-KEY-1": 40, "ops_": 40, "FwoG": 40,
}  # fmt: skip
# Prefixes that words begin with as well: what follows has to look random.
WEAK_PREFIXES = frozenset(
    (
        "sk-",
        "sk_",
        "key-",
        "co_",
        "fw_",
        "secret_",
        "oy2",
        "AKID",
        "ABIA",
        "ACCA",
        "FwoG",
        "glc_",
        "rnd_",
        "ops_",
        "pul-",
        "ls__",
        "aio_",
        "fo1_",
    )
)
PREFIX_LENGTHS = sorted({len(prefix) for prefix in PREFIXES}, reverse=True)
# Of these the rest is as long as said, and hexadecimal.
HEX_PREFIXES = {"SK": 32, "AC": 32, "dapi": 32, "key-": 32, "pat": 64}
