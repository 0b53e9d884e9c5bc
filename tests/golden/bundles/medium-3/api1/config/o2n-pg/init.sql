-- Made by oz-install. Do not edit: change answers.yml and run oz-install again.
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET log_min_error_statement = panic;  -- a failed statement would stand in the log with its password

CREATE ROLE "o2n_user" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD 'o2n-password-0123456789';
CREATE DATABASE "o2n" OWNER "o2n_user"
  TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8';
REVOKE ALL ON DATABASE "o2n" FROM PUBLIC;
\connect "o2n"
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS vector;
