# What the AWS account holds before a reader comes: read by room.sh, with its variables and functions.
{
  aws kms create-key --query KeyMetadata.Arn --output text > kms-key
  aws s3 mb s3://audit-archive
  aws s3 cp /var/log/ftps/audit.json s3://audit-archive/raw/day=2026-05-01/audit.json
  aws athena create-work-group --name ftps-audit --configuration ResultConfiguration={OutputLocation=s3://audit-archive/results/}
  aws transfer create-server --protocols SFTP --query ServerId --output text > transfer-server
  aws transfer create-user --server-id "$(cat transfer-server)" --user-name ann --role arn:aws:iam::123456789012:role/transfer --home-directory /incoming/ann
  aws secretsmanager create-secret --name aws/transfer/s-0123456789abcdef0/bob --secret-string '{"Password":"a-good-pass-from-before","HomeDirectory":"/incoming/bob"}'

  # Two certificates, one after the other, as the rotation brought them.
  import() { aws acm import-certificate --certificate "fileb://$1.pem" --private-key "fileb://$1.key" --certificate-chain fileb://ca.pem --query CertificateArn --output text "${@:2}"; }
  import first > certificate-arn
  daemon rotation '^port' env METRIC_NAMESPACE=CdkFtps METRIC_SECRET=guides POWERTOOLS_LOG_LEVEL=SILENT MIN_DAYS_LEFT=1 NAMES=ftps.example.com \
    SECRET_ID="$(aws secretsmanager create-secret --name ftps/staging/certificate --secret-string generated --query ARN --output text)" \
    CERTIFICATE_ARN="$(cat certificate-arn)" node "$here/invoke.mjs" "$here/../../../dist/lambda/certificate-rotation/index.js"
  AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:$(sed -n 's/^port //p' rotation.log)
  export AWS_ENDPOINT_URL_LAMBDA
  ftps certificate rotate --function rotation
  import second --certificate-arn "$(cat certificate-arn)"
  ftps certificate rotate --function rotation
} > account.log 2>&1
