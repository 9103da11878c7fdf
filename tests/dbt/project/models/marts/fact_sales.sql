select sales_id, date_key, store_id, product_id, sales_amount, sales_quantity, retailer_id
from {{ ref('stg_sales') }}
