"""JSON Web Tokens of configured issuers (RFC 7519, RFC 7515, RFC 8725), checked more strictly than the RFCs require."""
